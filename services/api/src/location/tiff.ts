// TIFF, which EXIF is too: lists of entries (IFDs) that point to each other. The list of GPS is emptied with its values. Source: TIFF 6.0, EXIF 2.32.
import { walkIptc, walkPhotoshop } from "./iptc.ts";
import { untilTorn, type Walk } from "./walk.ts";
import { walkXmp } from "./xmp.ts";

const tags = { subLists: 0x14a, xmp: 0x2bc, iptc: 0x83bb, photoshop: 0x8649, exif: 0x8769, gps: 0x8825 };
/** Means nothing to anybody, and stands where the order of tags has it. */
const nothing = 0x8826;
const byteType = 1;
const bytesOfType = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];
const entriesMax = 4_096;

interface Tiff {
  walk: Walk;
  /** where it lies in the file */
  begin: number;
  end: number;
  form: Form;
}

/** In which order bytes stand, and how large numbers are. */
interface Form {
  isBig: boolean;
  u16(bytes: Buffer, at: number): number;
  u32(bytes: Buffer, at: number): number;
  /** an offset or a count */
  wide(bytes: Buffer, at: number): number;
  pair(value: number): Buffer;
}

interface Entry {
  /** in the file, as all places here */
  at: number;
  tag: number;
  valueAt: number;
  valueBytes: number;
  /** 0: the value stands in the entry */
  outside: number;
  /** the first number in it */
  value: number;
}

/** Which lists were looked into, and which are to be; as offsets. */
interface Lists {
  seen: Set<number>;
  pending: number[];
}

interface List {
  at: number;
  length: number;
  entries: Entry[];
  next: number;
}

export async function walkTiff(walk: Walk, begin: number, end: number): Promise<void> {
  await untilTorn(async () => {
    const head = await walk.read(begin, 16);
    const form = formOf(head);
    if (!form) return;
    const tiff = { walk, begin, end, form };
    const seen = new Set<number>();
    const pending = [form.wide(head, form.isBig ? 8 : 4)];
    // What is pushed meanwhile comes as well.
    for (const offset of pending) {
      if (offset === 0 || seen.has(offset)) continue;
      seen.add(offset);
      await untilTorn(() => walkList(tiff, offset, { seen, pending }));
    }
  });
}

/** Notes where its lists go on. */
async function walkList(tiff: Tiff, offset: number, lists: Lists): Promise<void> {
  const { walk, begin, end } = tiff;
  const list = await readList(tiff, offset);
  // Behind an entry whose value is torn the others stand.
  for (const entry of list.entries) await untilTorn(() => walkEntry(tiff, entry, lists));
  if (list.next > 0 && list.next < end - begin) follow(walk, lists, [list.next]);
}

async function walkEntry(tiff: Tiff, entry: Entry, lists: Lists): Promise<void> {
  const { walk } = tiff;
  const { tag, value, valueAt, valueBytes } = entry;
  if (tag === tags.gps) await removeGps(tiff, entry, lists.seen.has(value));
  else if (tag === tags.exif) follow(walk, lists, [value]);
  else if (tag === tags.subLists) follow(walk, lists, await offsetsOf(tiff, entry));
  else if (tag === tags.xmp) await walkXmp(walk, [{ at: valueAt, length: valueBytes }]);
  else if (tag === tags.iptc) await walkIptc(walk, valueAt, valueBytes);
  else if (tag === tags.photoshop) await walkPhotoshop(walk, valueAt, valueBytes);
}

function follow(walk: Walk, { pending }: Lists, offsets: readonly number[]): void {
  for (const offset of offsets) {
    walk.step();
    pending.push(offset);
  }
}

/** `isOther`: what it points to is no list of GPS alone. */
async function removeGps(tiff: Tiff, { at, value }: Entry, isOther: boolean): Promise<void> {
  const { walk, form, begin, end } = tiff;
  if (!isOther)
    await untilTorn(async () => {
      const list = await readList(tiff, value);
      for (const { outside, valueBytes } of list.entries)
        if (outside > 0) walk.fill(begin + outside, Math.min(valueBytes, end - begin - outside), 0);
      walk.fill(list.at, list.length, 0);
    });
  walk.write(at, Buffer.concat([form.pair(nothing), form.pair(byteType)]));
  walk.fill(at + (form.isBig ? 12 : 8), form.isBig ? 8 : 4, 0);
}

async function readList({ walk, begin, end, form }: Tiff, offset: number): Promise<List> {
  walk.step();
  const at = begin + offset;
  const { isBig } = form;
  const [countBytes, entryBytes] = isBig ? [8, 20] : [2, 12];
  const head = await walk.read(at, countBytes);
  const count = Math.min(entriesMax, isBig ? form.wide(head, 0) : form.u16(head, 0));
  const length = countBytes + count * entryBytes + (isBig ? 8 : 4);
  const bytes = await walk.read(at, Math.min(length, end - at));
  const entries: Entry[] = [];
  for (let index = 0; index < count; index += 1) {
    walk.step();
    const from = countBytes + index * entryBytes;
    if (from + entryBytes <= bytes.length)
      entries.push(readEntry(bytes.subarray(from, from + entryBytes), at + from, begin, end, form));
  }
  const isWhole = bytes.length === length;
  return { at, length: bytes.length, entries, next: isWhole ? form.wide(bytes, length - (isBig ? 8 : 4)) : 0 };
}

function readEntry(bytes: Buffer, at: number, begin: number, end: number, form: Form): Entry {
  const inside = form.isBig ? 12 : 8;
  const room = bytes.length - inside;
  const type = form.u16(bytes, 2);
  const size = (bytesOfType[type] ?? 0) * form.wide(bytes, 4);
  const isOutside = size > room;
  const outside = isOutside ? form.wide(bytes, inside) : 0;
  const valueAt = isOutside ? begin + outside : at + inside;
  const isWide = form.isBig && (bytesOfType[type] ?? 0) === 8;
  return {
    ...{ at, tag: form.u16(bytes, 0), valueAt, outside },
    valueBytes: Math.max(0, Math.min(size, end - valueAt)),
    value: isWide ? form.wide(bytes, inside) : form.u32(bytes, inside),
  };
}

async function offsetsOf({ walk, form }: Tiff, { outside, value, valueAt, valueBytes }: Entry): Promise<number[]> {
  if (outside === 0 && valueBytes <= 4) return [value];
  const each = form.isBig ? 8 : 4;
  const bytes = await walk.read(valueAt, Math.min(valueBytes, entriesMax * each));
  return Array.from({ length: Math.floor(bytes.length / each) }, (_, index) => form.wide(bytes, index * each));
}

function formOf(head: Buffer): Form | undefined {
  const order = head.toString("latin1", 0, 2);
  if (order !== "II" && order !== "MM") return undefined;
  const isLittle = order === "II";
  const u16 = (bytes: Buffer, at: number) => (isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const u32 = (bytes: Buffer, at: number) => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const u64 = (bytes: Buffer, at: number) => Number(isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
  const version = u16(head, 2);
  if (version !== 42 && version !== 43) return undefined;
  const isBig = version === 43;
  const pair = (value: number) => {
    const bytes = Buffer.alloc(2);
    if (isLittle) bytes.writeUInt16LE(value);
    else bytes.writeUInt16BE(value);
    return bytes;
  };
  return { isBig, u16, u32, wide: isBig ? u64 : u32, pair };
}
