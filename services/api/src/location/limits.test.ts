// Files that are made so that looking into them takes long.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openBytes } from "./bytes.ts";
import { findLocation } from "./find.ts";
import { inMemory, sharedFile } from "./in-memory.ts";

const forbidden = { code: "forbidden" };
const uint32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const uint16 = (value: number) => uint32(value).subarray(2);
const entry = (tag: number, type: number, count: number, value: number) =>
  Buffer.concat([uint16(tag), uint16(type), uint32(count), uint32(value)]);
const list = (entries: readonly Buffer[], next = 0) =>
  Buffer.concat([uint16(entries.length), ...entries, uint32(next)]);
const tiff = (first: number, ...parts: Buffer[]) => Buffer.concat([Buffer.from("MM\0*"), uint32(first), ...parts]);
const box = (type: string, ...parts: Buffer[]) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([uint32(body.length + 8), Buffer.from(type), body]);
};
const webp = (xmp: string) => {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(xmp.length);
  return Buffer.concat([Buffer.from("RIFF\0\0\0\0WEBPXMP "), length, Buffer.from(xmp)]);
};

for (const [what, xmp] of [
  ["names without an end", `"${"gps".repeat(21_000)}`.repeat(40)],
  ["names that end as none does", `"${"-gps".repeat(12)}!`.repeat(20_000)],
  ["names of no place", `"${"-gpz".repeat(16)}=`.repeat(20_000)],
] as const)
  test(`XMP of ${what} is read in a time that grows as its length`, async () => {
    const begunAt = performance.now();
    await sharedFile(webp(xmp), "image/webp");
    assert.ok(performance.now() - begunAt < 1_500, `${performance.now() - begunAt} ms`);
  });

test("a name of XMP that is longer than what is looked at counts as one of a place; text that is none does not", async () => {
  const said = async (xmp: string) => !(await sharedFile(webp(xmp), "image/webp")).equals(webp(xmp));
  const rest = " ".repeat(100);
  for (const name of [`${"a".repeat(70)}gps`, `gps${"a".repeat(70)}`, `${"a".repeat(64)}gps${"a".repeat(64)}`])
    assert.ok(await said(`<x:${name}="1"/>${rest}`), name);
  // In two windows.
  assert.ok(await said(`${" ".repeat(64 * 1024 - 100)}<x:${"a".repeat(63)}gps${"a".repeat(60)}="1"/>`));
  assert.ok(!(await said(`<x:image="${"a".repeat(200)}" x:Rating="5"/>${rest}`)));
});

test("a TIFF whose entries all name the same bytes is refused before they are read so often", async () => {
  const shared = Buffer.alloc(1024 * 1024, " ");
  const entries = Array.from({ length: 4_000 }, () => entry(0x2bc, 1, shared.length, 8));
  const file = tiff(8 + shared.length, shared, list(entries));
  const bytes = openBytes(inMemory(file), "it", file.length);
  await assert.rejects(findLocation(bytes, "image/tiff"), forbidden);
  assert.ok(bytes.fetched() < 80 * 1024 * 1024, `${bytes.fetched()}`);
});

test("a TIFF of more lists than are looked into is refused: its GPS may stand behind them", async () => {
  const offsets = Buffer.alloc(4 * 4_096, 1);
  const entries = Array.from({ length: 100 }, () => entry(0x14a, 4, 4_096, 8));
  const at = 8 + offsets.length;
  const first = list(entries, at + list(entries).length);
  await assert.rejects(sharedFile(tiff(at, offsets, first, list([entry(0x8825, 4, 1, 8)])), "image/tiff"), forbidden);
});

test("behind an entry of a TIFF that is torn its GPS is found", async () => {
  const gps = list([entry(2, 1, 8, 8)]);
  const at = 8 + gps.length;
  const first = list([entry(0x8649, 1, 20, at + 2 + 2 * 12 + 4), entry(0x8825, 4, 1, 8)]);
  const file = tiff(at, gps, first, Buffer.from("8BIM\x04\x04\xff\0"), Buffer.alloc(12));
  const shared = await sharedFile(file, "image/tiff");
  assert.deepEqual(shared.subarray(8, at), Buffer.alloc(gps.length));
});

test("items of a HEIC whose pieces take no bytes are not counted for ever", async () => {
  const kind = box("infe", Buffer.from([2, 0, 0, 0, 0, 1, 0, 0]), Buffer.from("Exif\0"));
  const item = Buffer.concat([uint16(2), uint16(0), uint16(65_535)]);
  const places = box("iloc", Buffer.alloc(4), uint16(0), uint16(20), ...Array.from({ length: 20 }, () => item));
  const meta = box("meta", Buffer.alloc(4), box("iinf", Buffer.alloc(4), uint16(1), kind), places);
  await assert.rejects(sharedFile(Buffer.concat([box("ftyp", Buffer.from("heic")), meta]), "image/heic"), forbidden);
});

test("others go on while a file is looked into, which ends when it is told to", async () => {
  const chunk = Buffer.concat([uint32(0), Buffer.from("teSt"), uint32(0)]);
  const file = Buffer.concat([Buffer.alloc(8), ...Array.from({ length: 90_000 }, () => chunk)]);
  const bytes = {
    size: file.length,
    read: async (at: number, length: number) => file.subarray(at, at + length),
    fetched: () => 0,
  };
  const stop = new AbortController();
  setImmediate(() => stop.abort(new Error("enough")));
  await assert.rejects(findLocation(bytes, "image/png", stop.signal), /enough/);
});

test("a JPEG of more segments of metadata than are looked into is refused", async () => {
  const segment = Buffer.concat([Buffer.from([0xff, 0xe1, 0, 9]), Buffer.from("Exif\0\0x")]);
  const file = Buffer.concat([Buffer.from([0xff, 0xd8]), ...Array.from({ length: 2_001 }, () => segment)]);
  await assert.rejects(sharedFile(file, "image/jpeg"), forbidden);
});

test("records of IPTC and keys of a film are counted", async () => {
  const records = Buffer.concat(Array.from({ length: 110_000 }, () => Buffer.from([0x1c, 2, 120, 0, 0])));
  const iptc = tiff(8 + records.length, records, list([entry(0x83bb, 1, records.length, 8)]));
  await assert.rejects(sharedFile(iptc, "image/tiff"), forbidden);
  const keys = box("keys", Buffer.alloc(8), ...Array.from({ length: 30_000 }, () => box("mdta")));
  const meta = box("meta", Buffer.alloc(4), keys);
  await assert.rejects(sharedFile(box("moov", meta, meta, meta, meta), "video/mp4"), forbidden);
});
