// What a device says of itself goes to presence; a word of a subscription is a change of the user's roster.
import {
  type Caller,
  type Check,
  changeSubscription,
  checkState,
  checkSubscription,
  type DeviceState,
  type StatePacket,
  type SubscriptionPacket,
  subjects,
} from "@parley/protocol";
import { callMethod, type NatsConnection, requestJson } from "@parley/runtime";
import type { TUnion } from "typebox";
import { decodePacket } from "../admit/decode.ts";
import type { Acknowledge } from "../deliver/acknowledge.ts";
import type { Uplink } from "../path.ts";

export interface StateParts {
  nats: NatsConnection;
  acknowledge: Acknowledge;
  stamp: Stamp;
}

/** Says when this router took a word: later than every one before. */
export type Stamp = () => Required<Pick<DeviceState, "at" | "by">>;

const askMs = 5_000;
const timeoutMs = 10_000;

type Said = StatePacket | SubscriptionPacket;

/** For all partitions of one router. */
export function createStamp(instance: string): Stamp {
  let last = 0;
  return () => {
    last = Math.max(Date.now(), last + 1);
    return { at: last, by: instance };
  };
}

export function stateUplink({ nats, acknowledge, stamp }: StateParts): Uplink<Said> {
  return {
    isStored: false,
    decode: ({ payload }) => decodePacket(payload, checkSaid),
    refuse: acknowledge.nack,
    async work(said, { uid, clientId }) {
      const caller: Caller = { uid, clientId, via: "mqtt" };
      if ("type" in said)
        return changeSubscription(said, (method, params) => callMethod(nats, method, caller, params, { timeoutMs }));
      if (Object.keys(said).length === 0) return undefined;
      const told: DeviceState = { ...said, uid, clientId, ...stamp() };
      await requestJson(nats, subjects.deviceState, told, { timeoutMs: askMs });
      return undefined;
    },
  };
}

const checkSaid: Check<TUnion<[typeof StatePacket, typeof SubscriptionPacket]>> = (said) =>
  "type" in (said as object) ? checkSubscription(said) : checkState(said);
