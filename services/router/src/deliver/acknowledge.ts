// Step 5: what the sending device is told: the promise, or why not.
import type { AppError, Device } from "@parley/protocol";
import type { SendKept } from "./send.ts";

/** What names a packet to its sender; null: it has no id, or it could not be read. */
export type PacketName = string | number | null;

/**
 * Both go out at QoS 1, so that a persistent session has them when its device is back, and resolve when the broker has
 * them: a router that dies before is followed by one that does the packet, and tells of it, again.
 */
export interface Acknowledge {
  ack(device: Device, ack: { id: string; conv: string; seq: number; ts: number }): Promise<unknown>;
  nack(device: Device, id: PacketName, error: AppError): Promise<unknown>;
}

export function createAcknowledge(send: SendKept): Acknowledge {
  return {
    ack(device, { id, conv, seq, ts }) {
      const packet = `{"type":"ack","id":${JSON.stringify(id)},"conv":"${conv}","seq":${seq},"ts":${ts}}`;
      return send(Buffer.from(packet), { users: [], devices: [device] });
    },
    nack(device, id, { code, message, details }) {
      const packet = { type: "nack", id, code, message, ...(details ? { details } : {}) };
      return send(Buffer.from(JSON.stringify(packet)), { users: [], devices: [device] });
    },
  };
}
