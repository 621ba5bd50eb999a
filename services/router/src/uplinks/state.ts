// What a device says of itself goes to presence.
import { checkState, type DeviceState, type StatePacket, subjects } from "@parley/protocol";
import type { NatsConnection } from "@parley/runtime";
import { decodePacket } from "../admit/decode.ts";
import type { Acknowledge } from "../deliver/acknowledge.ts";
import type { Uplink } from "../path.ts";

export interface StateParts {
  nats: NatsConnection;
  acknowledge: Acknowledge;
}

export function stateUplink({ nats, acknowledge }: StateParts): Uplink<StatePacket> {
  return {
    isStored: false,
    decode: ({ payload }) => decodePacket(payload, checkState),
    refuse: acknowledge.nack,
    async work(state, { uid, clientId }) {
      const told: DeviceState = { ...state, uid, clientId };
      nats.publish(subjects.deviceState, JSON.stringify(told));
      return undefined;
    },
  };
}
