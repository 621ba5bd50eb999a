// Metadata of films by key: a list of names and a list of values. Source: QuickTime File Format, Metadata.
import { type Box, readBoxes, remove } from "./boxes.ts";
import type { Walk } from "./walk.ts";

const readMax = 256 * 1024;
const place = /location|gps|latitude|longitude/i;
const [dash, space] = [0x2d, 0x20];

export async function walkKeys(walk: Walk, boxes: ReadonlyMap<string, Box>): Promise<void> {
  const [keys, values] = [boxes.get("keys"), boxes.get("ilst")];
  const removed = keys ? await removeNames(walk, keys) : new Set<number>();
  if (!values) return;
  for await (const item of readBoxes(walk, values.body, values.end))
    if (item.type === "\xa9xyz") remove(walk, item);
    else if (removed.has(Buffer.from(item.type, "latin1").readUInt32BE())) await blankValues(walk, item);
}

// Which of them, from 1: they say no more what they are.
async function removeNames(walk: Walk, { body, end }: Box): Promise<Set<number>> {
  const removed = new Set<number>();
  const bytes = await walk.read(body, Math.min(readMax, end - body));
  // Version, how many, then of each: its size, its kind, its name.
  let at = 8;
  for (let index = 1; at + 8 <= bytes.length; index += 1) {
    walk.step();
    const size = bytes.readUInt32BE(at);
    if (size < 8) break;
    if (place.test(bytes.toString("latin1", at + 8, at + size))) {
      removed.add(index);
      walk.fill(body + at + 8, Math.min(size - 8, end - body - at - 8), dash);
    }
    at += size;
  }
  return removed;
}

// A box `data`: kind, language, value.
async function blankValues(walk: Walk, item: Box): Promise<void> {
  for await (const { body, end } of readBoxes(walk, item.body, item.end)) walk.fill(body + 8, end - body - 8, space);
}
