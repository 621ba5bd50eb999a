// The table of dialects: a new one is a new file and a row here. Every topic has one owner, the first that knows it.
import type { UplinkTopic } from "../topics.ts";
import type { Channel, Dialect, Publication, Recipients } from "./dialect.ts";
import { native } from "./native.ts";

export type { Channel, Device, Dialect, Publication, Recipients } from "./dialect.ts";

export const dialects: readonly Dialect[] = [native];

/** Who published on a topic, and what for; undefined: no dialect knows it. */
export function parseUplink(topic: string): UplinkTopic | undefined {
  for (const dialect of dialects) {
    const uplink = dialect.parseUplink(topic);
    if (uplink) return uplink;
  }
  return undefined;
}

/** Everything that is published so that the recipients get a packet, whatever their devices speak. */
export function renderFor(packet: Uint8Array, to: Recipients, channel: Channel): readonly Publication[] {
  const [only] = dialects;
  if (dialects.length === 1 && only) return only.render(packet, to, channel);
  return dialects.flatMap((dialect) => dialect.render(packet, to, channel));
}
