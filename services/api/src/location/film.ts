// Films, and pictures that are made of the same boxes: what is said of them, of their tracks, and in tracks of their own.
import { type Box, readBoxes, remove, rename } from "./boxes.ts";
import { walkItems } from "./items.ts";
import { walkKeys } from "./keys.ts";
import { untilTorn, type Walk } from "./walk.ts";
import { walkXmp } from "./xmp.ts";

const xmpUuid = "be7acfcb97a942e89c71999491e3afac";
/** Coordinates as text, as 3GPP has them, and a dashcam's list of them. */
const places: ReadonlySet<string> = new Set(["\xa9xyz", "loci", "gps "]);
/** Samples that say, all along, where the camera is: GoPro, Android, DJI. */
const telemetry: ReadonlySet<string> = new Set(["gpmd", "camm", "djmd", "dbgi"]);
const stsdMax = 64 * 1024;

/** A whole file, which may stand in another one. */
export async function walkBoxes(walk: Walk, begin: number, end: number): Promise<void> {
  for await (const box of readBoxes(walk, begin, end)) {
    // Of a film in fragments, which may be thousands, all is said before the first.
    if (box.type === "moof") return;
    await untilTorn(async () => {
      if (box.type === "moov") await walkMovie(walk, box);
      else if (box.type === "meta") await walkItems(walk, await walkMeta(walk, box), begin);
      else if (box.type === "uuid") await walkUuid(walk, box);
      else if (box.type === "mpvd") await walkBoxes(walk, box.body, box.end);
    });
  }
}

// A film or one of its tracks.
async function walkMovie(walk: Walk, { body, end }: Box): Promise<void> {
  for await (const box of readBoxes(walk, body, end))
    await untilTorn(async () => {
      if (places.has(box.type)) remove(walk, box);
      else if (box.type === "udta") await walkUserData(walk, box);
      else if (box.type === "meta") await walkMeta(walk, box);
      else if (box.type === "uuid") await walkUuid(walk, box);
      else if (box.type === "trak") await walkTrack(walk, box);
    });
}

async function walkTrack(walk: Walk, track: Box): Promise<void> {
  // Without it nobody finds its samples.
  if (await isTelemetry(walk, track)) return rename(walk, track);
  return walkMovie(walk, track);
}

async function isTelemetry(walk: Walk, track: Box): Promise<boolean> {
  const samples = await boxOf(walk, track, ["mdia", "minf", "stbl", "stsd"]);
  if (!samples) return false;
  // Version, count, then the first kind of sample: its size and type.
  const text = (await walk.read(samples.body, Math.min(stsdMax, samples.end - samples.body))).toString("latin1");
  const type = text.slice(12, 16);
  return telemetry.has(type) || (type === "mebx" && /location/i.test(text));
}

async function boxOf(walk: Walk, within: Box, [type, ...deeper]: readonly string[]): Promise<Box | undefined> {
  for await (const box of readBoxes(walk, within.body, within.end))
    if (box.type === type) return deeper.length === 0 ? box : boxOf(walk, box, deeper);
  return undefined;
}

async function walkUserData(walk: Walk, { body, end }: Box): Promise<void> {
  for await (const box of readBoxes(walk, body, end))
    await untilTorn(async () => {
      if (places.has(box.type)) remove(walk, box);
      else if (box.type === "XMP_") await walkXmp(walk, [{ at: box.body, length: box.end - box.body }]);
      else if (box.type === "meta") await walkMeta(walk, box);
    });
}

async function walkUuid(walk: Walk, { body, end }: Box): Promise<void> {
  const id = (await walk.read(body, 16)).toString("hex");
  if (id === xmpUuid) await walkXmp(walk, [{ at: body + 16, length: end - body - 16 }]);
}

async function walkMeta(walk: Walk, { body, end }: Box): Promise<ReadonlyMap<string, Box>> {
  // QuickTime has no version in front of what is in it.
  const isPlain = (await walk.read(body, 8)).toString("latin1", 4) === "hdlr";
  const boxes = new Map<string, Box>();
  for await (const box of readBoxes(walk, isPlain ? body : body + 4, end)) boxes.set(box.type, box);
  await walkKeys(walk, boxes);
  return boxes;
}
