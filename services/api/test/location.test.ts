// Where a file was made: who uploaded it keeps that, nobody else is given it, by whatever way.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  type Attachment,
  compactSubject,
  devicesList,
  methodSubject,
  pushList,
  pushSettings,
  subjects,
} from "@parley/protocol";
import { answerJson, readSecrets } from "@parley/runtime";
import { eventually, serviceContext } from "@parley/testkit";
import exifReader from "exifreader";
import sharp from "sharp";
import { startHistoryProcess } from "./history-process.ts";
import { startTestApi } from "./surroundings.ts";

// Nothing else is stored meanwhile.
const api = await startTestApi({ after }, { API_MEDIA_WORKERS: "0" });
startHistoryProcess({ after }, api);
const [ann, bob] = await Promise.all(["ann", "bob"].map((uid) => api.user(uid)));
await eventually(async () => (await api.call("POST", "/sync", { token: ann!.token, json: {} })).status === 200, {
  timeoutMs: 60_000,
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const hasPlace = (bytes: Buffer) => exifReader.load(bytes, { async: false }).GPSLatitude !== undefined;
const gps = { IFD3: { GPSLatitudeRef: "N", GPSLatitude: "50/1 27/1 1234/100" } };
/** Another one for each colour. */
const photo = (red: number) =>
  sharp({ create: { width: 40, height: 30, channels: 3, background: { r: red, g: 0, b: 0 } } })
    .jpeg()
    .withExif(gps)
    .toBuffer();

async function upload(bytes: Buffer, token = ann!.token) {
  const raw = new Uint8Array(bytes);
  const { status, body } = await api.call("POST", "/attachments", { token, raw });
  return { status, body: body as Attachment & { error?: { code: string } } };
}

async function send(file: string, token = ann!.token, to = "user/bob"): Promise<void> {
  const json = { to, content: { type: "image", file } };
  assert.equal((await api.call("POST", "/messages", { token, json })).status, 200);
}

async function get(id: string, token: string, headers: Record<string, string> = {}, method = "GET") {
  const answer = await fetch(`${api.url}/attachments/${id}`, { method, headers: { ...bearer(token), ...headers } });
  return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()), headers: answer.headers };
}

const infoOf = async (id: string, token: string) =>
  (await api.call("GET", `/attachments/${id}/info`, { token })).body as Attachment;

// Presence, search and push, as far as exports and erasures ask them.
const { log } = serviceContext("test");
const compacted = ["presence", "search", "push"].map(compactSubject);
for (const subject of [subjects.eraseDevices, subjects.erasePush, ...compacted])
  answerJson(api.nats, subject, "test", () => ({}), log);
answerJson(api.nats, subjects.removeFromSearch, "test", () => ({}), log);
for (const method of [devicesList, pushList, pushSettings])
  answerJson(api.nats, methodSubject(method.name), "test", () => ({ result: { devices: [], tokens: [] } }), log);

const before = await photo(10);
assert.ok(hasPlace(before));
const { body: sent } = await upload(before);
await send(sent.id);

test("who uploaded a photo gets it back as it was; others get it without its place, and the hash of what they get", async () => {
  const [own, others] = [await get(sent.id, ann!.token), await get(sent.id, bob!.token)];
  assert.deepEqual(own.bytes, before);
  assert.ok(!hasPlace(others.bytes));
  assert.equal(others.bytes.length, before.length);
  assert.deepEqual(await sharp(others.bytes).raw().toBuffer(), await sharp(before).raw().toBuffer());
  const [hash, shared] = [hashOf(before), hashOf(others.bytes)];
  assert.deepEqual([own.headers.get("etag"), others.headers.get("etag")], [`"${hash}"`, `"${shared}"`]);
  assert.deepEqual([sent.hash, sent.sharedHash], [`sha256:${hash}`, `sha256:${shared}`]);
  const [ofOwner, ofOther] = [await infoOf(sent.id, ann!.token), await infoOf(sent.id, bob!.token)];
  assert.deepEqual([ofOwner.hash, ofOwner.sharedHash], [sent.hash, sent.sharedHash]);
  assert.deepEqual([ofOther.hash, ofOther.sharedHash], [sent.sharedHash, undefined]);
});

test("each range is one of the bytes that the caller gets, and a tag of other bytes holds for none", async () => {
  const [own, whole] = [await get(sent.id, ann!.token), await get(sent.id, bob!.token)];
  const tags = [own, whole].map(({ headers }) => headers.get("etag")!);
  const different = Array.from(before.keys()).filter((at) => before[at] !== whole.bytes[at]);
  const [first, last] = [different[0]!, different.at(-1)!];
  for (const [start, end] of [
    [0, first],
    [first, first],
    [first + 1, last - 1],
    [last, before.length - 1],
  ] as const) {
    const part = await get(sent.id, bob!.token, { range: `bytes=${start}-${end}`, "if-range": tags[1]! });
    assert.deepEqual([part.status, part.headers.get("content-length")], [206, String(end - start + 1)]);
    assert.deepEqual(part.bytes, whole.bytes.subarray(start, end + 1));
  }
  const stale = await get(sent.id, bob!.token, { range: "bytes=0-9", "if-range": tags[0]! });
  assert.deepEqual([stale.status, stale.bytes], [200, whole.bytes]);
  const known = tags.map(async (tag) => (await get(sent.id, bob!.token, { "if-none-match": tag })).status);
  assert.deepEqual(await Promise.all(known), [200, 304]);
  const head = await get(sent.id, bob!.token, {}, "HEAD");
  assert.deepEqual([head.headers.get("content-length"), head.headers.get("etag")], [String(before.length), tags[1]]);
});

test("an upload in parts is no way around it", async () => {
  const bytes = await photo(20);
  const headers = { ...bearer(ann!.token), "tus-resumable": "1.0.0" };
  const begin = { ...headers, "upload-length": String(bytes.length) };
  const made = await fetch(`${api.url}/attachments/uploads`, { method: "POST", headers: begin });
  const location = new URL(made.headers.get("location")!, api.url);
  const type = { "content-type": "application/offset+octet-stream", "upload-offset": "0" };
  const answer = await fetch(location, {
    method: "PATCH",
    headers: { ...headers, ...type },
    body: new Uint8Array(bytes),
  });
  assert.equal(answer.status, 204);
  const finished = await fetch(location, { headers: bearer(ann!.token) });
  const { id, sharedHash } = (await finished.json()) as Attachment;
  await send(id);
  const others = await get(id, bob!.token);
  assert.ok(!hasPlace(others.bytes));
  assert.equal(`sha256:${hashOf(others.bytes)}`, sharedHash);
});

test("who uploads the same bytes has them as they are; a file without a place has one hash", async () => {
  const again = (await upload(before, bob!.token)).body;
  assert.deepEqual((await get(again.id, bob!.token)).bytes, before);
  const plain = await sharp(before).jpeg().toBuffer();
  const { id, hash, sharedHash } = (await upload(plain)).body;
  await send(id);
  assert.deepEqual([sharedHash, (await infoOf(id, bob!.token)).hash], [undefined, hash]);
  assert.deepEqual((await get(id, bob!.token)).bytes, plain);
});

test("a file whose places are too many to be taken out is refused to who uploads it, and nothing of it is kept", async () => {
  const blobs = () => readdirSync(join(api.folder, "data/api/blobs"), { recursive: true, withFileTypes: true });
  const count = () => blobs().filter((entry) => entry.isFile()).length;
  const kept = count();
  const at = before.indexOf("Exif\0\0") - 4;
  const segment = before.subarray(at, at + 2 + before.readUInt16BE(at + 2));
  const many = Array.from({ length: 1_000 }, () => segment);
  const { status, body } = await upload(Buffer.concat([before.subarray(0, 2), ...many, before.subarray(2)]));
  assert.deepEqual([status, body.error?.code], [403, "forbidden"]);
  await eventually(() => count() === kept);
});

test("an export has the original of who uploaded it; who has the file from a user that is gone has what others get", async () => {
  const bytes = await photo(30);
  const { id } = (await upload(bytes)).body;
  await send(id);
  const others = (await get(id, bob!.token)).bytes;
  const exportOf = async (token: string) => {
    const answer = await fetch(`${api.url}/account/export`, { headers: bearer(token) });
    return Buffer.from(await answer.arrayBuffer());
  };
  assert.ok((await exportOf(ann!.token)).includes(bytes));
  const cleo = await api.user("cleo");
  await send(id, bob!.token, "user/cleo");
  const { servicesSecret } = readSecrets(`${api.folder}/secrets`);
  const { key } = (await api.call("POST", "/keys", { token: servicesSecret, json: { name: "shop" } })).body;
  assert.equal((await api.call("DELETE", "/users/ann", { token: key })).status, 200);
  const state = async () => (await api.call("GET", "/users/ann/account", { token: key })).body.state;
  await eventually(async () => (await state()) === "erased", { timeoutMs: 90_000 });
  for (const { token } of [bob!, cleo]) assert.deepEqual((await get(id, token)).bytes, others);
  const info = await infoOf(id, bob!.token);
  assert.deepEqual([info.hash, info.sharedHash], [`sha256:${hashOf(others)}`, undefined]);
  const exported = await exportOf(bob!.token);
  assert.ok(exported.includes(others) && !exported.includes(bytes));
});
