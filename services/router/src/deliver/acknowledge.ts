// Step 5: what the sending device is told: the promise, or why not.
import { type AppError, deviceTopic, type UplinkTopic } from "@parley/protocol";
import type { PublishMany } from "./publish.ts";

type Device = Pick<UplinkTopic, "uid" | "clientId">;

/**
 * Both go out at QoS 1, so that a persistent session has them when its device is back, and resolve when the broker has
 * them: a router that dies before is followed by one that does the packet, and tells of it, again.
 */
export interface Acknowledge {
  ack(device: Device, ack: { id: string; conv: string; seq: number; ts: number }): Promise<void>;
  /** `id` null: the packet's own could not be read. */
  nack(device: Device, id: string | number | null, error: AppError): Promise<void>;
}

export function createAcknowledge(publishMany: PublishMany): Acknowledge {
  return {
    ack({ uid, clientId }, { id, conv, seq, ts }) {
      const packet = `{"type":"ack","id":${JSON.stringify(id)},"conv":"${conv}","seq":${seq},"ts":${ts}}`;
      return publishMany([deviceTopic(uid, clientId)], Buffer.from(packet));
    },
    nack({ uid, clientId }, id, error) {
      const { id: _id, ...details } = error.details ?? {};
      const more = Object.keys(details).length > 0 ? { details } : {};
      const packet = { type: "nack", id, code: error.code, message: error.message, ...more };
      return publishMany([deviceTopic(uid, clientId)], Buffer.from(JSON.stringify(packet)));
    },
  };
}
