// IPTC's own records, alone or as one of Photoshop's resources: city, sublocation, province and country are blanked. Source: IPTC IIM 4.2.
import type { Walk } from "./walk.ts";

const record = 2;
const places: ReadonlySet<number> = new Set([26, 27, 90, 92, 95, 100, 101]);
const readMax = 1024 * 1024;
const space = 0x20;
const iptcResource = 0x0404;

export async function walkIptc(walk: Walk, at: number, length: number): Promise<void> {
  const bytes = await walk.read(at, Math.min(length, readMax));
  // 0x1c, record, number, length, value
  for (let next = 0; next + 5 <= bytes.length && bytes[next] === 0x1c; ) {
    walk.step();
    const size = bytes.readUInt16BE(next + 3);
    // A longer one, whose length stands elsewhere, is no name of a place.
    if (size >= 0x8000) return;
    if (bytes[next + 1] === record && places.has(bytes[next + 2]!)) walk.fill(at + next + 5, size, space);
    next += 5 + size;
  }
}

/** Resources: `8BIM`, number, name and padding, length, value and padding. */
export async function walkPhotoshop(walk: Walk, at: number, length: number): Promise<void> {
  const end = at + length;
  for (let next = at; next + 12 <= end; ) {
    walk.step();
    const head = await walk.read(next, 300);
    if (head.toString("latin1", 0, 4) !== "8BIM") return;
    const named = 7 + head.readUInt8(6);
    const lengthAt = named + (named % 2);
    const size = head.readUInt32BE(lengthAt);
    const value = next + lengthAt + 4;
    if (head.readUInt16BE(4) === iptcResource) await walkIptc(walk, value, Math.min(size, end - value));
    next = value + size + (size % 2);
  }
}
