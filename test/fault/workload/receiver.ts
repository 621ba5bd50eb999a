// A stock receiver: remembers every message it gets live, and says what its user has read.
import type { JsonObject } from "@parley/protocol";
import { same } from "../checker/log.ts";
import type { ReadMark, Receiver } from "../checker/record.ts";
import type { Random } from "../seeded.ts";
import { copyOf, type Device } from "./device.ts";

/** Files a packet of the device's under what it got. */
export function takeLive({ got }: Receiver, packet: JsonObject): void {
  const copy = copyOf(packet);
  if (!copy) return;
  const bySeq = got.get(copy.conv) ?? new Map();
  got.set(copy.conv, bySeq);
  const copies = bySeq.get(copy.seq) ?? [];
  if (!copies.some((known: typeof copy) => same(known, copy))) bySeq.set(copy.seq, [...copies, copy]);
}

/** Notes what a receipt says about the user's own marks. */
export function takeReceipt(uid: string, marks: Map<string, ReadMark>, packet: JsonObject): void {
  if (packet.type !== "receipt" || packet.uid !== uid) return;
  const mark = marks.get(String(packet.conv));
  if (mark) mark.told = Math.max(mark.told, Number(packet.read));
}

const everyMs = 500;

/** Now and then marks a conversation as read, up to what has come. */
export function startReading(
  device: Device,
  { got }: Receiver,
  marks: Map<string, ReadMark>,
  random: Random,
): { stopNew(): void; stop(): void } {
  const timer = setInterval(() => {
    const convs = [...got.keys()];
    if (convs.length === 0 || device.connectedAt() === undefined) return;
    const conv = random.pick(convs);
    const read = Math.max(...(got.get(conv)?.keys() ?? [0]));
    const mark = marks.get(conv) ?? { asked: 0, told: 0 };
    marks.set(conv, { ...mark, asked: Math.max(mark.asked, read) });
    device.publish(device.topics.publish.receipt, JSON.stringify({ conv, read }));
  }, everyMs);
  const stop = () => clearInterval(timer);
  return { stopNew: stop, stop };
}
