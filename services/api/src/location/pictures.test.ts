// Pictures as real libraries make them, read again by libraries that are not ours.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import exifReader from "exifreader";
import sharp, { type Sharp } from "sharp";
import { sharedFile } from "./in-memory.ts";

const folder = await mkdtemp(join(tmpdir(), "parley-location-"));
after(() => rm(folder, { recursive: true, force: true }));

const exif = {
  IFD0: { Copyright: "Ann", Make: "Camera" },
  IFD3: {
    ...{
      GPSLatitudeRef: "N",
      GPSLatitude: "50/1 27/1 1234/100",
      GPSLongitudeRef: "E",
      GPSLongitude: "30/1 31/1 777/100",
    },
    ...{ GPSAltitude: "179/1", GPSDateStamp: "2026:11:28" },
  },
};
const xmpOf = (properties: string) =>
  `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" ${properties}/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`;
const xmp = xmpOf('exif:GPSLatitude="50,27.2057N" exif:GPSLongitude="30,31.1295E" photoshop:City="Kyiv"');
const harmless = xmpOf('exif:PixelXDimension="64" photoshop:Credit="Ann"');

const noise = Buffer.from(Array.from({ length: 64 * 48 * 3 }, (_, index) => (index * 37) % 251));
const picture = () => sharp(noise, { raw: { width: 64, height: 48, channels: 3 } });
const tagged = () => picture().withExif(exif).withXmp(xmp);
const made: [string, (from: Sharp) => Sharp][] = [
  ["image/jpeg", (from) => from.jpeg()],
  ["image/png", (from) => from.png()],
  ["image/webp", (from) => from.webp()],
  ["image/avif", (from) => from.avif({ effort: 0 })],
  ["image/tiff", (from) => from.tiff()],
];

/** What a reader that is not ours says of places. */
function placesIn(file: Buffer): string[] {
  const tags = exifReader.load(file, { expanded: true, async: false }) as Record<string, Record<string, unknown>>;
  const found = Object.entries(tags).flatMap(([group, of]) => Object.keys(of ?? {}).map((name) => `${group}.${name}`));
  return found.filter((name) => /gps|city|location|latitude/i.test(name));
}

async function assertShared(before: Buffer, type: string): Promise<Buffer> {
  const shared = await sharedFile(before, type);
  assert.equal(shared.length, before.length);
  assert.deepEqual(placesIn(shared), []);
  return shared;
}

const samePixels = async (one: Buffer, other: Buffer) =>
  assert.deepEqual(await sharp(other).raw().toBuffer(), await sharp(one).raw().toBuffer());

for (const [type, encode] of made)
  test(`of a picture in ${type} others get the same pixels, its copyright, and no place`, async () => {
    const before = await encode(tagged()).toBuffer();
    assert.ok(placesIn(before).length > 2, "the reader finds it before");
    const shared = await assertShared(before, type);
    await samePixels(before, shared);
    for (const trace of ["50,27.2057N", "Kyiv", "2026:11:28"]) assert.ok(!shared.includes(trace), trace);
    if (type === "image/tiff") return;
    const tags = exifReader.load(shared, { async: false });
    assert.deepEqual([tags.Copyright?.description, tags.Make?.description], ["Ann", "Camera"]);
  });

test("a picture that says nothing of a place is as it was", async () => {
  for (const [type, encode] of made) {
    const plain = await encode(picture().withXmp(harmless)).toBuffer();
    assert.deepEqual(await sharedFile(plain, type), plain, type);
  }
});

// The same EXIF as cameras write it that put high bytes first.
function bigEndianExif(): Buffer {
  const entry = (tag: number, type: number, count: number, value: Buffer) => {
    const head = Buffer.alloc(8);
    head.writeUInt16BE(tag);
    head.writeUInt16BE(type, 2);
    head.writeUInt32BE(count, 4);
    return Buffer.concat([head, value, Buffer.alloc(4 - value.length)]);
  };
  const number = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const list = (...entries: Buffer[]) => Buffer.concat([Buffer.from([0, entries.length]), ...entries, number(0)]);
  const gpsAt = 8 + 2 + 2 * 12 + 4;
  const latitudeAt = gpsAt + 2 + 2 * 12 + 4;
  const head = Buffer.concat([Buffer.from("MM\0*"), number(8)]);
  const main = list(entry(0x10f, 2, 4, Buffer.from("Cam\0")), entry(0x8825, 4, 1, number(gpsAt)));
  const gps = list(entry(1, 2, 2, Buffer.from("S\0")), entry(2, 5, 3, number(latitudeAt)));
  return Buffer.concat([head, main, gps, ...[33, 1, 51, 1, 35, 1].map(number)]);
}

async function withSegment(marker: number, body: Buffer): Promise<Buffer> {
  const jpeg = await picture().jpeg().toBuffer();
  const length = Buffer.alloc(2);
  length.writeUInt16BE(body.length + 2);
  return Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, marker]), length, body, jpeg.subarray(2)]);
}

test("EXIF with its high bytes first is emptied as well", async () => {
  const before = await withSegment(0xe1, Buffer.concat([Buffer.from("Exif\0\0"), bigEndianExif()]));
  assert.ok(placesIn(before).includes("gps.Latitude"), String(placesIn(before)));
  const shared = await assertShared(before, "image/jpeg");
  assert.equal(exifReader.load(shared, { async: false }).Make?.description, "Cam");
  const [at, { length }] = [shared.indexOf("MM\0*"), bigEndianExif()];
  assert.deepEqual(shared.subarray(at + 38, at + length), Buffer.alloc(length - 38));
  await samePixels(before, shared);
});

test("a photo that a phone has put behind another, and one at the end of a long file, say no place either", async () => {
  const photo = await tagged().jpeg().toBuffer();
  // Whatever is read at once, a beginning may be cut in two.
  const cut = 3 * 1024 * 1024 - 3;
  const filler = Buffer.alloc(cut - photo.length - photo.indexOf("Exif"), 7);
  const before = Buffer.concat([photo, filler, photo]);
  const shared = await assertShared(before, "image/jpeg");
  assert.deepEqual(placesIn(shared.subarray(-photo.length)), []);
});

test("names of places in IPTC are blanked, its caption is kept", async () => {
  const record = (number: number, text: string) =>
    Buffer.concat([Buffer.from([0x1c, 2, number, 0, text.length]), Buffer.from(text)]);
  const iptc = Buffer.concat([record(90, "Kyiv"), record(120, "Caption"), record(101, "Ukraine")]);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(iptc.length);
  const other = Buffer.from("8BIM\x04\x0b\0\0\0\0\0\x03abc\0", "latin1");
  const resource = Buffer.concat([
    Buffer.from("8BIM\x04\x04\0\0", "latin1"),
    size,
    iptc,
    Buffer.alloc(iptc.length % 2),
  ]);
  const before = await withSegment(0xed, Buffer.concat([Buffer.from("Photoshop 3.0\0"), other, resource]));
  assert.ok(before.includes("Kyiv"));
  const shared = await sharedFile(before, "image/jpeg");
  assert.deepEqual(
    ["Kyiv", "Ukraine", "Caption"].map((text) => shared.includes(text)),
    [false, false, true],
  );
  await samePixels(before, shared);
});

const hasHeif = spawnSync("heif-enc", ["--version"]).error === undefined;

test("a photo in HEIC says no place", { skip: !hasHeif && "heif-enc is not here" }, async () => {
  const [jpeg, heic] = [join(folder, "a.jpg"), join(folder, "a.heic")];
  await writeFile(jpeg, await tagged().jpeg().toBuffer());
  execFileSync("heif-enc", ["-q", "50", jpeg, "-o", heic], { stdio: "ignore" });
  const before = await readFile(heic);
  assert.ok(placesIn(before).length > 2, "the reader finds it before");
  const shared = await assertShared(before, "image/heic");
  const { default: decodeHeic } = await import("heic-decode");
  const [one] = await decodeHeic.all({ buffer: before });
  const [other] = await decodeHeic.all({ buffer: shared });
  assert.deepEqual((await other!.decode()).data, (await one!.decode()).data);
});

test("PNG's own texts about places, compressed or not, become spaces, and each chunk keeps a right CRC", async () => {
  const { crc32, deflateSync } = await import("node:zlib");
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    crc.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, crc]);
  };
  const png = await picture().png().toBuffer();
  const texts = [
    chunk("iTXt", Buffer.concat([Buffer.from("XML:com.adobe.xmp\0\x01\0\0\0"), deflateSync(xmp)])),
    chunk("zTXt", Buffer.concat([Buffer.from("Raw profile type exif\0\0"), deflateSync("\nexif\n 4\n4d4d002a\n")])),
    chunk("tEXt", Buffer.from("exif:GPSLatitude\x0050/1, 27/1")),
    chunk("tEXt", Buffer.from("Title\0A picture")),
  ];
  const before = Buffer.concat([png.subarray(0, 33), ...texts, png.subarray(33)]);
  const shared = await assertShared(before, "image/png");
  await samePixels(before, shared);
  let chunks = 0;
  for (let at = 8; at < shared.length; chunks += 1) {
    const length = shared.readUInt32BE(at);
    assert.equal(shared.readUInt32BE(at + 8 + length), crc32(shared.subarray(at + 4, at + 8 + length)));
    at += 12 + length;
  }
  assert.ok(chunks >= 7);
  assert.ok(shared.includes("A picture") && !shared.includes("50/1, 27/1") && !shared.includes("4d4d"));
});

test("whatever is torn, cut or changed in a file, it is walked to an end, and its length stays", async () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  for (const [type, encode] of made) {
    const whole = await encode(tagged()).toBuffer();
    for (let round = 0; round < 60; round += 1) {
      const bytes = Buffer.from(whole.subarray(0, round % 2 ? random(whole.length) : whole.length));
      for (let changes = random(30); changes > 0 && bytes.length > 0; changes -= 1)
        bytes[random(bytes.length)] = random(256);
      assert.equal((await sharedFile(bytes, type)).length, bytes.length);
    }
  }
});

test("a file that says it in more places than are kept is refused; one that points to itself ends", async () => {
  const piece = (await withSegment(0xe1, Buffer.concat([Buffer.from("Exif\0\0"), bigEndianExif()]))).subarray(2, 300);
  const many = Buffer.concat([Buffer.from([0xff, 0xd8]), ...Array.from({ length: 1_500 }, () => piece)]);
  await assert.rejects(sharedFile(many, "image/jpeg"), { code: "forbidden" });
  const round = bigEndianExif();
  round.writeUInt32BE(8, 8 + 2 + 12 + 8);
  assert.equal((await sharedFile(round, "image/tiff")).length, round.length);
});
