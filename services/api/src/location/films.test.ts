// Films: as ffmpeg writes them, and with boxes as phones have them; read again by ffprobe.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import sharp from "sharp";
import { sharedFile } from "./in-memory.ts";

const folder = await mkdtemp(join(tmpdir(), "parley-location-"));
after(() => rm(folder, { recursive: true, force: true }));
const has = spawnSync("ffmpeg", ["-version"]).error === undefined;
const skip = !has && "ffmpeg is not here";
const place = "+50.4534+030.5166+179.000/";

async function film(name: string, ...options: string[]): Promise<Buffer> {
  const path = join(folder, name);
  const pictures = ["-f", "lavfi", "-i", "testsrc=size=64x48:duration=1:rate=5", "-pix_fmt", "yuv420p"];
  execFileSync("ffmpeg", ["-v", "error", "-y", ...pictures, "-metadata", "title=Kept", ...options, path]);
  return readFile(path);
}

async function toldBy(program: "ffprobe" | "ffmpeg", bytes: Buffer, ...args: string[]): Promise<string> {
  const path = join(folder, "read.mp4");
  await writeFile(path, bytes);
  return execFileSync(program, ["-v", "error", ...args.map((arg) => (arg === "FILE" ? path : arg))]).toString();
}
const tagsOf = (bytes: Buffer) =>
  toldBy("ffprobe", bytes, "-show_entries", "format_tags:stream_tags", "-of", "json", "FILE");
const framesOf = (bytes: Buffer) => toldBy("ffmpeg", bytes, "-i", "FILE", "-f", "framemd5", "-");

const named = ["-metadata", `location=${place}`];
const apple = ["-metadata", `com.apple.quicktime.location.ISO6709=${place}`, "-movflags", "use_metadata_tags"];
const made: [string, string, () => Promise<Buffer>][] = [
  ["MP4", "video/mp4", () => film("a.mp4", ...named)],
  ["MP4 that begins with its index", "video/mp4", () => film("b.mp4", ...named, "-movflags", "faststart")],
  ["MP4 with keys", "video/mp4", () => film("c.mp4", ...apple)],
  ["QuickTime", "video/quicktime", () => film("d.mov", ...named)],
  ["QuickTime with keys", "video/quicktime", () => film("e.mov", ...apple)],
  ["3GP", "video/3gpp", () => film("f.3gp", "-c:v", "mpeg4", ...named)],
];

for (const [name, type, make] of made)
  test(`of a film in ${name} others get the same frames and title, and no place`, { skip }, async () => {
    const before = await make();
    assert.ok(before.includes("50.45") || (await tagsOf(before)).includes("50.45"), "it says it before");
    const shared = await sharedFile(before, type);
    assert.equal(shared.length, before.length);
    assert.ok(!shared.includes("50.45") && !/50\.45|location/.test(await tagsOf(shared)), await tagsOf(shared));
    assert.equal(await framesOf(shared), await framesOf(before));
    if (name !== "3GP") assert.match(await tagsOf(shared), /Kept/);
    assert.deepEqual(await sharedFile(shared, type), shared);
  });

const box = (type: string, ...parts: (Buffer | string)[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)));
  const size = Buffer.alloc(4);
  size.writeUInt32BE(body.length + 8);
  return Buffer.concat([size, Buffer.from(type, "latin1"), body]);
};

test("3GPP's place, XMP, and a track of telemetry are nothing to readers any more; other tracks stay", async () => {
  const stsd = (type: string) => box("stsd", "\0\0\0\0\0\0\0\x01", box(type, "\0".repeat(8)));
  const track = (type: string) => box("trak", box("mdia", box("minf", box("stbl", stsd(type)))));
  const xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/" exif:GPSLatitude="50,27N"/>';
  const uuid = Buffer.from("be7acfcb97a942e89c71999491e3afac", "hex");
  const user = box("udta", box("loci", "\0\0\0\0\0\0Kyiv\0\0"), box("XMP_", xmp), box("name", "Kept"));
  const file = Buffer.concat([
    box("ftyp", "isom\0\0\0\0"),
    box("moov", track("avc1"), track("gpmd"), user),
    box("uuid", uuid, xmp),
  ]);
  const text = (await sharedFile(file, "video/mp4")).toString("latin1");
  for (const gone of ["loci", "Kyiv", "GPSLatitude"]) assert.ok(!text.includes(gone), gone);
  assert.equal(text.split("trak").length - 1, 1);
  assert.equal(text.indexOf("free"), file.toString("latin1").lastIndexOf("trak"));
  assert.ok(text.includes("Kept") && text.includes("avc1"));
});

test("a film that a phone has put behind a photo says no place", { skip }, async () => {
  const photo = await sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } })
    .jpeg()
    .toBuffer();
  const shared = await sharedFile(Buffer.concat([photo, await film("g.mp4", ...named)]), "image/jpeg");
  assert.ok(!shared.includes("50.45"));
  assert.match(await tagsOf(shared.subarray(photo.length)), /Kept/);
});
