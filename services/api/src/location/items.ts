// Items of HEIC and AVIF: a list of what they are, and a list of where they lie. Source: ISO/IEC 14496-12, 8.11; ISO/IEC 23008-12, A.2.
import { type Box, readBoxes } from "./boxes.ts";
import { walkTiff } from "./tiff.ts";
import type { Walk } from "./walk.ts";
import { type Piece, walkXmp } from "./xmp.ts";

const readMax = 1024 * 1024;
const xmpType = "application/rdf+xml";

/** `origin`: where the file begins, which places are counted from. */
export async function walkItems(walk: Walk, boxes: ReadonlyMap<string, Box>, origin: number): Promise<void> {
  const [kinds, places] = [boxes.get("iinf"), boxes.get("iloc")];
  if (!kinds || !places) return;
  const found = await readKinds(walk, kinds);
  if (found.size === 0) return;
  for (const { item, pieces } of await readPlaces(walk, places, { origin, data: boxes.get("idat") })) {
    const kind = found.get(item);
    if (kind === "xmp") await walkXmp(walk, pieces);
    if (kind === "exif") await walkExif(walk, pieces);
    if (kind === "packed") blank(walk, pieces);
  }
}

// How far behind it TIFF begins, then mostly the mark that JPEG has.
async function walkExif(walk: Walk, pieces: readonly Piece[]): Promise<void> {
  const [piece] = pieces;
  if (!piece) return;
  if (pieces.length > 1) return blank(walk, pieces);
  const { at, length } = piece;
  const begin = at + 4 + (await walk.read(at, 4)).readUInt32BE(0);
  await walkTiff(walk, begin, at + length);
}

function blank(walk: Walk, pieces: readonly Piece[]): void {
  for (const { at, length } of pieces) walk.fill(at, length, 0);
}

async function readKinds(walk: Walk, { body, end }: Box): Promise<Map<number, "exif" | "xmp" | "packed">> {
  const found = new Map<number, "exif" | "xmp" | "packed">();
  const version = (await walk.read(body, 1)).readUInt8(0);
  for await (const entry of readBoxes(walk, body + (version === 0 ? 6 : 8), end)) {
    const bytes = await walk.read(entry.body, Math.min(entry.end - entry.body, 1_024));
    const isWide = bytes.readUInt8(0) >= 3;
    const item = isWide ? bytes.readUInt32BE(4) : bytes.readUInt16BE(4);
    // Protection, type, name, and of what has a media type: that and how it is packed.
    const [type, ...texts] = bytes.toString("latin1", isWide ? 10 : 8).split("\0");
    if (type?.startsWith("Exif")) found.set(item, "exif");
    if (type?.startsWith("mime") && texts[0] === xmpType) found.set(item, texts[1] ? "packed" : "xmp");
  }
  return found;
}

async function readPlaces(
  walk: Walk,
  { body, end }: Box,
  { origin, data }: { origin: number; data: Box | undefined },
): Promise<{ item: number; pieces: Piece[] }[]> {
  const bytes = await walk.read(body, Math.min(end - body, readMax));
  let at = 0;
  const number = (size: number): number => {
    const value = size === 8 ? Number(bytes.readBigUInt64BE(at)) : size === 0 ? 0 : bytes.readUIntBE(at, size);
    at += size;
    return value;
  };
  const version = number(1);
  at += 3;
  const sizes = number(2);
  const [offsetSize, lengthSize, baseSize] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indexSize = version > 0 ? sizes & 15 : 0;
  const wide = version < 2 ? 2 : 4;
  const places: { item: number; pieces: Piece[] }[] = [];
  for (let left = number(wide); left > 0; left -= 1) {
    walk.step();
    const item = number(wide);
    // 0: in the file, 1: in `idat`, 2: in another item
    const method = version > 0 ? number(2) & 15 : 0;
    at += 2;
    const base = number(baseSize) + (method === 1 ? (data?.body ?? walk.size) : origin);
    const pieces: Piece[] = [];
    for (let more = number(2); more > 0; more -= 1) {
      walk.step();
      at += indexSize;
      const [offset, length] = [number(offsetSize), number(lengthSize)];
      if (method < 2) pieces.push({ at: base + offset, length: length === 0 ? walk.size - base - offset : length });
    }
    places.push({ item, pieces });
  }
  return places;
}
