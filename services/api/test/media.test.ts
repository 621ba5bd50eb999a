// What is made of files: sizes, thumbnails, durations, whatever is sent, and whatever dies.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Attachment, type NotifyRequest, subjects } from "@parley/protocol";
import { eventually } from "@parley/testkit";
import sharp from "sharp";
import { startHistoryProcess } from "./history-process.ts";
import { startTestApi } from "./surroundings.ts";

const pixels = 4_000_000;
const api = await startTestApi({ after }, { API_MEDIA_PIXELS: String(pixels), API_MEDIA_MS: "60000" });
startHistoryProcess({ after }, api);
const [ann, bob] = await Promise.all(["ann", "bob"].map((uid) => api.user(uid)));
await eventually(async () => (await api.call("POST", "/sync", { token: ann!.token, json: {} })).status === 200, {
  timeoutMs: 150_000,
});
const folder = await mkdtemp(join(tmpdir(), "parley-media-test-"));
after(() => rm(folder, { recursive: true, force: true }));
const has = (program: string) => spawnSync(program, ["-version"]).error === undefined;

async function upload(bytes: Uint8Array, token = ann!.token): Promise<Attachment> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${api.url}/attachments`, { method: "POST", headers, body: bytes as never });
  assert.equal(response.status, 201);
  return (await response.json()) as Attachment;
}

const infoOf = (id: string, token = ann!.token) => api.call("GET", `/attachments/${id}/info`, { token });

async function made(bytes: Uint8Array): Promise<{ id: string; media: NonNullable<Attachment["media"]> }> {
  const { id } = await upload(bytes);
  let media: Attachment["media"];
  await eventually(
    async () => {
      media = (await infoOf(id)).body.media;
      return media?.state !== "pending";
    },
    { timeoutMs: 150_000 },
  );
  return { id, media: media! };
}

async function thumbnail(id: string, token = ann!.token) {
  const response = await fetch(`${api.url}/attachments/${id}/thumbnail`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()), headers: response.headers };
}

const plain = (width: number, height: number) => sharp({ create: { width, height, channels: 3, background: "red" } });

test("a photo's size is as it is seen, its thumbnail is turned and says nothing of where it was taken", async () => {
  const gps = { IFD0: { Copyright: "canary" }, IFD3: { GPSLatitudeRef: "N", GPSLatitude: "50/1 27/1 0/1" } };
  const photo = await plain(1_200, 800).jpeg().withExif(gps).withMetadata({ orientation: 6, exif: gps }).toBuffer();
  assert.ok(photo.includes("canary"));
  const { id, media } = await made(photo);
  assert.deepEqual([media.state, media.width, media.height], ["ready", 800, 1_200]);
  assert.deepEqual([media.thumbnail?.width, media.thumbnail?.height], [213, 320]);
  const { bytes, headers } = await thumbnail(id);
  const shown = await sharp(bytes).metadata();
  assert.deepEqual([shown.width, shown.height, shown.exif], [213, 320, undefined]);
  assert.ok(!bytes.includes("canary"));
  assert.equal(headers.get("content-type"), "image/webp");
  assert.equal(bytes.length, media.thumbnail?.size);
});

test("whoever uploaded it is told what was made of it, and nobody else", async (t) => {
  const told: NotifyRequest[] = [];
  const callback = (_: unknown, message: { json(): unknown }) => void told.push(message.json() as NotifyRequest);
  const listening = api.nats.subscribe(subjects.notify, { callback });
  t.after(() => listening.unsubscribe());
  const { id } = await made(await plain(33, 44).png().toBuffer());
  type Told = { type?: string; attachment?: Attachment };
  const ofIt = () => told.filter(({ packet }) => (packet as Told).attachment?.id === id);
  await eventually(() => ofIt().length > 0, { timeoutMs: 150_000 });
  const { uids, channel, packet } = ofIt()[0]!;
  assert.deepEqual([uids, channel, (packet as Told).type], [["ann"], "m", "attachment"]);
  assert.deepEqual((packet as Told).attachment, (await infoOf(id)).body);
});

test("a thumbnail is for whom the file is for; equal bytes have it at once", async () => {
  const photo = await plain(640, 480).png().toBuffer();
  const { id } = await made(photo);
  assert.deepEqual([(await thumbnail(id, bob!.token)).status, (await infoOf(id, bob!.token)).status], [404, 404]);
  const json = { to: "user/bob", content: { type: "image", file: id } };
  assert.equal((await api.call("POST", "/messages", { token: ann!.token, json })).status, 200);
  assert.equal((await thumbnail(id, bob!.token)).status, 200);
  assert.equal((await infoOf(id, bob!.token)).body.media.width, 640);
  const again = await upload(photo, bob!.token);
  assert.deepEqual([again.media?.state, again.media?.height], ["ready", 480]);
});

test("an animation keeps its frames; of one with more pixels than are decoded the first stands for it", async () => {
  const frames = (count: number, side: number) => {
    const colours = Buffer.concat(Array.from({ length: count }, (_, n) => Buffer.alloc(side * side * 3, 20 * n)));
    const raw = { width: side, height: side * count, channels: 3, pageHeight: side } as const;
    return sharp(colours, { raw }).gif().toBuffer();
  };
  const pagesOf = async (bytes: Buffer) =>
    (await sharp((await thumbnail((await made(bytes)).id)).bytes).metadata()).pages ?? 1;
  assert.equal(await pagesOf(await frames(5, 100)), 5);
  assert.equal(await pagesOf(await frames(5, 1_000)), 1);
});

test("a picture of more pixels than are decoded, and what is none, is said to be so; the next one is looked at", async () => {
  const bomb = await plain(4_000, 4_000).png().toBuffer();
  assert.ok(bomb.length * 100 < 4_000 * 4_000 * 3, "it is small as it is sent");
  const torn = Buffer.concat([Buffer.from("ffd8ffe000104a46494600", "hex"), randomBytes(1_000)]);
  const states = [];
  for (const bytes of [bomb, torn, await plain(20, 10).webp().toBuffer()]) {
    const { id, media } = await made(bytes);
    states.push([media.state, media.reason, (await thumbnail(id)).status]);
  }
  assert.deepEqual(states, [
    ["failed", "too_large", 404],
    ["failed", "unreadable", 404],
    ["ready", undefined, 200],
  ]);
});

test("a photo in HEIC has a size and a thumbnail as any other", { skip: !has("heif-enc") }, async () => {
  const [png, heic] = [join(folder, "a.png"), join(folder, "a.heic")];
  await plain(400, 300).png().toFile(png);
  execFileSync("heif-enc", ["-q", "50", png, "-o", heic], { stdio: "ignore" });
  const { media } = await made(await readFile(heic));
  assert.deepEqual([media.state, media.width, media.height, media.thumbnail?.width], ["ready", 400, 300, 320]);
});

test("a recording's duration is measured, though its header has none, and its waveform drawn", {
  skip: !has("ffmpeg"),
}, async () => {
  const tone = ["-v", "error", "-f", "lavfi", "-i", "sine=frequency=440:duration=2", "-ac", "1"];
  const live = execFileSync("ffmpeg", [...tone, "-c:a", "libopus", "-f", "webm", "-live", "1", "pipe:1"]);
  const { media } = await made(live);
  assert.equal(media.state, "ready");
  assert.ok(Math.abs(media.durationMs! - 2_000) < 100, String(media.durationMs));
  assert.ok(media.waveform!.length > 20 && media.waveform!.every((bar) => bar > 13 && bar <= 255));
});

test("a film has its size, duration and first picture", { skip: !has("ffmpeg") }, async () => {
  const path = join(folder, "film.mp4");
  const film = ["-v", "error", "-f", "lavfi", "-i", "testsrc=size=640x360:duration=1:rate=10", "-pix_fmt", "yuv420p"];
  execFileSync("ffmpeg", [...film, path]);
  const { id, media } = await made(await readFile(path));
  assert.deepEqual([media.state, media.width, media.height, media.durationMs], ["ready", 640, 360, 1_000]);
  assert.deepEqual([media.thumbnail?.width, media.thumbnail?.height], [320, 180]);
  assert.equal((await thumbnail(id)).headers.get("content-type"), "image/png");
});
