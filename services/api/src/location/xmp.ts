// XMP: XML about a file. Where it has a property of a place, all of it is blanked: it may say so in several ways.
import type { Walk } from "./walk.ts";

export interface Piece {
  at: number;
  length: number;
}

/**
 * Of EXIF, IPTC, Photoshop, drones and phones: with these in their names. A longer name counts as one, as both runs are bounded:
 * the time of unbounded ones grows with the square of the text.
 */
const property =
  /[:<\s"'](?:[\w-]{0,64}(?:gps|latitude|longt?itude|location|geotag)(?:[\w-]{0,64}[\s=>/]|[\w-]{65})|(?:city|(?:province)?state|country\w*|worldregion|coverage|lat|long?)[\s=>/])|[:<][\w-]{65}/i;
/** Longer than what has to stand in one text to be found. */
const nameMax = 256;
const step = 64 * 1024;
/** A larger one is not read. */
const readMax = 16 * 1024 * 1024;
const space = 0x20;
/** A packet that says nothing; a packet of spaces is none. */
const empty = Buffer.from('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>');

/** `pieces`: a packet, which may lie in several. */
export async function walkXmp(walk: Walk, pieces: readonly Piece[]): Promise<void> {
  if (!(await tellsPlace(walk, pieces))) return;
  for (const { at, length } of pieces) walk.fill(at, length, space);
  const [first] = pieces;
  if (first && first.length >= empty.length) walk.write(first.at, empty);
}

async function tellsPlace(walk: Walk, pieces: readonly Piece[]): Promise<boolean> {
  if (pieces.reduce((sum, { length }) => sum + Math.max(0, length), 0) > readMax) return true;
  let before = "";
  for (const { at, length } of pieces)
    for (let done = 0; done < length; done += step) {
      walk.step();
      const bytes = await walk.read(at + done, Math.min(step, length - done));
      // UTF-16 or UTF-32, which nobody writes but may.
      if (bytes.includes(0)) return true;
      const text = before + bytes.toString("latin1");
      if (property.test(text)) return true;
      before = text.slice(-nameMax);
    }
  return false;
}
