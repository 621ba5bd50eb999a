// What a device says of itself goes to presence; a word of a subscription is a change of the user's roster.
import {
  type Check,
  checkState,
  checkSubscription,
  type DeviceState,
  type StatePacket,
  type SubscriptionPacket,
  subjects,
} from "@parley/protocol";
import { type NatsConnection, requestJson } from "@parley/runtime";
import type { TUnion } from "typebox";
import { decodePacket } from "../admit/decode.ts";
import type { Acknowledge } from "../deliver/acknowledge.ts";
import type { Uplink } from "../path.ts";
import { changeSubscription } from "./subscription.ts";

export interface StateParts {
  nats: NatsConnection;
  acknowledge: Acknowledge;
  stamp: Stamp;
}

/** Says when this router took a word: later than every one before. */
export type Stamp = () => Required<Pick<DeviceState, "at" | "by">>;

const askMs = 5_000;

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
      if ("type" in said) return changeSubscription(nats, said, { uid, clientId, via: "mqtt" });
      if (Object.keys(said).length === 0) return undefined;
      const told: DeviceState = { ...said, uid, clientId, ...stamp() };
      await requestJson(nats, subjects.deviceState, told, { timeoutMs: askMs });
      return undefined;
    },
  };
}

const checkSaid: Check<TUnion<[typeof StatePacket, typeof SubscriptionPacket]>> = (said) =>
  "type" in (said as object) ? checkSubscription(said) : checkState(said);
