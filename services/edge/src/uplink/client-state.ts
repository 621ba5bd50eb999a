// A device that said it is inactive gets nothing ephemeral: what it says of itself is read as it passes.
import { parseDownlinkTopic, parseUplinkTopic } from "@parley/protocol";
import type { Framing } from "../packets/framing.ts";

interface Device {
  isInactive: boolean;
}

/** Larger ones say more than a device has to say; the router refuses what is no state. */
const stateBytesMax = 4096;

export function isStateTopic(topic: string): boolean {
  return topic.endsWith("/state") && parseUplinkTopic(topic)?.verb === "state";
}

/** Notes whether the device is active, if it says that. */
export function noteState(payload: Buffer, device: Device): void {
  if (payload.length > stateBytesMax) return;
  try {
    const { active } = JSON.parse(payload.toString()) as { active?: unknown };
    if (typeof active === "boolean") device.isInactive = !active;
  } catch {
    // No JSON: the router tells the device.
  }
}

/** Is this PUBLISH of the broker's typing or presence? */
export function isEphemeral({ bytes, start, body }: Pick<Framing, "bytes" | "start" | "body">): boolean {
  const qos = (bytes[start]! >> 1) & 3;
  if (qos !== 0) return false;
  const topic = bytes.toString("latin1", body + 2, body + 2 + bytes.readUInt16BE(body));
  return topic.endsWith("/e") && parseDownlinkTopic(topic)?.channel === "e";
}
