// Boxes of ISO media files: MP4, QuickTime, 3GP, HEIC and AVIF are made of them. Source: ISO/IEC 14496-12.
import type { Walk } from "./walk.ts";

export interface Box {
  /** four characters; in the list of values of `keys` a number */
  type: string;
  /** in the file, as all places here: of its header, of what is in it, behind it */
  at: number;
  body: number;
  end: number;
}

export async function* readBoxes(walk: Walk, begin: number, end: number): AsyncGenerator<Box> {
  for (let at = begin; at + 8 <= end; ) {
    walk.step();
    const head = await walk.read(at, 16);
    const [size, type] = [head.readUInt32BE(0), head.toString("latin1", 4, 8)];
    const isWide = size === 1;
    const length = isWide ? Number(head.readBigUInt64BE(8)) : size === 0 ? end - at : size;
    const body = at + (isWide ? 16 : 8);
    if (at + length < body) return;
    yield { type, at, body, end: Math.min(end, at + length) };
    at += length;
  }
}

/** Space that nobody reads, instead of the box. */
export function remove(walk: Walk, box: Box): void {
  rename(walk, box);
  walk.fill(box.body, box.end - box.body, 0);
}

/** The same for a box whose content stays. */
export function rename(walk: Walk, { at }: Box): void {
  walk.write(at + 4, Buffer.from("free"));
}
