// JPEG: its segments of metadata are found by how they begin, wherever they stand. So are those of pictures and films behind
// the first picture, which phones append; in between a decoder's data cannot look like the beginning of a segment.
import { walkBoxes } from "./film.ts";
import { walkPhotoshop } from "./iptc.ts";
import { walkTiff } from "./tiff.ts";
import { untilTorn, type Walk, WalkEnded } from "./walk.ts";
import { type Piece, walkXmp } from "./xmp.ts";

const marks = {
  exif: Buffer.from("Exif\0\0"),
  xmp: Buffer.from("http://ns.adobe.com/xap/1.0/\0"),
  moreXmp: Buffer.from("http://ns.adobe.com/xmp/extension/\0"),
  photoshop: Buffer.from("Photoshop 3.0\0"),
  film: Buffer.from("ftyp"),
};
type Mark = keyof typeof marks;
const markers: Record<Exclude<Mark, "film">, number> = { exif: 0xe1, xmp: 0xe1, moreXmp: 0xe1, photoshop: 0xed };
/** In a file with more a place may be left behind them. */
const marksMax = 2_000;
const scanBytes = 512 * 1024;
/** A mark with the marker and the length before it. */
const overlap = 64;
/** Behind the mark of a further piece of XMP: whose it is, its size and place. */
const moreXmpHead = 40;

interface Found extends Piece {
  mark: Mark;
}

export async function walkJpeg(walk: Walk): Promise<void> {
  const found = await scan(walk);
  for (const { mark, at, length } of found)
    await untilTorn(async () => {
      if (mark === "exif") await walkTiff(walk, at, at + length);
      else if (mark === "photoshop") await walkPhotoshop(walk, at, length);
      else if (mark === "xmp") await walkXmp(walk, [{ at, length }]);
      else if (mark === "film") await walkBoxes(walk, at, at + length);
    });
  const more = found.filter(({ mark, length }) => mark === "moreXmp" && length > moreXmpHead);
  await walkXmp(
    walk,
    more.map(({ at, length }) => ({ at: at + moreXmpHead, length: length - moreXmpHead })),
  );
}

// By place: what two windows have in common is found twice.
async function scan(walk: Walk): Promise<Found[]> {
  const found = new Map<number, Found>();
  for (let start = 0; start < walk.size; start += scanBytes) {
    walk.step();
    const bytes = await walk.read(start, scanBytes + overlap);
    for (const mark of Object.keys(marks) as Mark[])
      for (let at = bytes.indexOf(marks[mark]); at >= 0; at = bytes.indexOf(marks[mark], at + 1)) {
        const piece = mark === "film" ? filmAt(walk, bytes, start, at) : segmentAt(bytes, start, at, mark);
        if (piece) found.set(piece.at, { mark, ...piece });
        if (found.size > marksMax) throw new WalkEnded("marks");
      }
  }
  return [...found.values()].sort((one, other) => one.at - other.at);
}

// Marker, length, mark, what is in it.
function segmentAt(bytes: Buffer, start: number, at: number, mark: Exclude<Mark, "film">): Piece | undefined {
  if (at < 4 || bytes[at - 4] !== 0xff || bytes[at - 3] !== markers[mark]) return undefined;
  const size = marks[mark].length;
  const length = bytes.readUInt16BE(at - 2) - 2 - size;
  return length > 0 ? { at: start + at + size, length } : undefined;
}

function filmAt(walk: Walk, bytes: Buffer, start: number, at: number): Piece | undefined {
  if (at < 4 || at + 8 > bytes.length) return undefined;
  const size = bytes.readUInt32BE(at - 4);
  const isBrand = /^[\w ]{4}$/.test(bytes.toString("latin1", at + 4, at + 8));
  const begin = start + at - 4;
  return isBrand && size >= 16 && size <= 256 ? { at: begin, length: walk.size - begin } : undefined;
}
