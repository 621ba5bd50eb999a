// Step 5: what the sending device is told: the promise, or why not.
import { type AppError, deviceTopic, type UplinkTopic } from "@parley/protocol";

export interface Acknowledge {
  ack(device: Pick<UplinkTopic, "uid" | "clientId">, ack: { id: string; conv: string; seq: number; ts: number }): void;
  /** `id` null: the packet's own could not be read. */
  nack(device: Pick<UplinkTopic, "uid" | "clientId">, id: string | number | null, error: AppError): void;
}

/** `publish` sends QoS 0 and never fails. */
export function createAcknowledge(publish: (topic: string, payload: Uint8Array) => void): Acknowledge {
  return {
    ack({ uid, clientId }, { id, conv, seq, ts }) {
      const packet = `{"type":"ack","id":${JSON.stringify(id)},"conv":"${conv}","seq":${seq},"ts":${ts}}`;
      publish(deviceTopic(uid, clientId), Buffer.from(packet));
    },
    nack({ uid, clientId }, id, error) {
      const { id: _id, ...details } = error.details ?? {};
      const more = Object.keys(details).length > 0 ? { details } : {};
      const packet = { type: "nack", id, code: error.code, message: error.message, ...more };
      publish(deviceTopic(uid, clientId), Buffer.from(JSON.stringify(packet)));
    },
  };
}
