// What api tells push: what users call others, and addresses of thumbnails that need no token.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  type Attachment,
  type PushPeopleReply,
  pushAskedMax,
  type SignedThumbnailsReply,
  subjects,
} from "@parley/protocol";
import { requestJson } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import sharp from "sharp";
import { writeGrant } from "../src/files/grants.ts";
import { startHistoryProcess } from "./history-process.ts";
import { startTestApi } from "./surroundings.ts";

const publicUrl = "https://chat.example.org/api";
const api = await startTestApi({ after }, { API_PUBLIC_URL: publicUrl });
startHistoryProcess({ after }, api);
const [ann, ben, eve] = await Promise.all(["ann", "ben", "eve"].map((uid) => api.user(uid)));
await eventually(async () => (await api.call("POST", "/sync", { token: ann!.token, json: {} })).status === 200, {
  timeoutMs: 150_000,
});

const timeoutMs = 30_000;
const people = async (asked: unknown) =>
  (await requestJson<PushPeopleReply>(api.nats, subjects.pushPeople, { asked }, { timeoutMs })).people;
const signed = async (asked: unknown) =>
  (await requestJson<SignedThumbnailsReply>(api.nats, subjects.signedThumbnails, { asked }, { timeoutMs })).urls;
const post = (token: string, path: string, json: object = {}) => api.call("POST", path, { token, json });

async function picture(width: number): Promise<string> {
  const png = await sharp({ create: { width, height: 40, channels: 3, background: "red" } })
    .png()
    .toBuffer();
  const headers = { authorization: `Bearer ${ann!.token}` };
  const response = await fetch(`${api.url}/attachments`, { method: "POST", headers, body: png as never });
  const { id } = (await response.json()) as Attachment;
  const info = () => api.call("GET", `/attachments/${id}/info`, { token: ann!.token });
  await eventually(async () => (await info()).body.media?.state === "ready", { timeoutMs: 150_000 });
  return id;
}

/** As a phone fetches it, which knows no token. */
async function fetched(url: string | null | undefined, verb = "GET") {
  if (!url?.startsWith(`${publicUrl}/`)) throw new Error(`${url} is no address of api`);
  const response = await fetch(api.url + url.slice(publicUrl.length), { method: verb });
  const bytes = Buffer.from(await response.arrayBuffer());
  const text = response.headers.get("content-type")?.includes("json") ? JSON.parse(bytes.toString()) : undefined;
  return { status: response.status, type: response.headers.get("content-type"), bytes, code: text?.error.code };
}

test("push is told of each what its user calls the other, and how it has it", async () => {
  await api.call("PUT", "/profile", { token: ann!.token, json: { name: "Ann Lee", nick: "annie" } });
  const asked = [
    { uid: "ben", by: "ann" },
    { uid: "eve", by: "ann" },
    { uid: "ann", by: "ben" },
    { uid: "ben", by: "nobody" },
  ];
  assert.deepEqual(await people(asked), [
    { name: "annie" },
    { name: "annie" },
    { name: "ben" },
    { name: "nobody" },
  ]); // biome-ignore format: one line reads better
  assert.equal((await post(ben!.token, "/roster", { id: "ann", nick: "My Ann" })).status, 200);
  assert.equal((await post(ben!.token, "/roster/ann/mute")).status, 200);
  assert.equal((await post(eve!.token, "/roster/ann/request")).status, 200);
  assert.equal((await post(eve!.token, "/roster/ben/block")).status, 200);
  assert.deepEqual(await people([...asked, { uid: "eve", by: "ben" }, { uid: "ann", by: "eve" }]), [
    { name: "My Ann", muted: true, relation: "contact" },
    { name: "annie", relation: "requested" },
    { name: "ben" },
    { name: "nobody" },
    { name: "ben", blocked: true },
    { name: "eve", relation: "pending" },
  ]);
  await api.call("PUT", "/profile", { token: ann!.token, json: { visibility: "contacts" } });
  assert.deepEqual(
    await people([asked[1]]),
    [{ name: "ann", relation: "requested" }],
    "who is hidden is called by its uid",
  );
  await api.call("PUT", "/profile", { token: ann!.token, json: { visibility: "everybody" } });
  for (const wrong of [
    Array(pushAskedMax + 1).fill(asked[0]),
    [{ uid: "ben" }],
    [{ uid: "a b", by: "ann" }],
    [null],
    "x",
  ])
    await assert.rejects(people(wrong), { code: "invalid_packet" });
});

test("a thumbnail is had without a token by the address of who may have the file, and by no other", async (t) => {
  const file = await picture(50);
  assert.deepEqual(await signed([{ file, uid: "ben" }]), [null], "it was not sent to ben");
  const sent = await post(ann!.token, "/messages", { to: "user/ben", content: { type: "image", file } });
  assert.equal(sent.status, 200);
  const [url, none, own] = await signed([
    { file, uid: "ben" },
    { file, uid: "eve" },
    { file, uid: "ann" },
  ]);
  assert.equal(none, null);

  await t.test("the picture, and its headers", async () => {
    for (const one of [url, own]) {
      const { status, bytes, type } = await fetched(one);
      assert.deepEqual([status, type, (await sharp(bytes).metadata()).width], [200, "image/webp", 50]);
    }
    const head = await fetched(url, "HEAD");
    assert.deepEqual([head.status, head.bytes.length], [200, 0]);
  });

  await t.test("an address that was changed, is of another file or is over: one refusal", async () => {
    const other = await picture(60);
    await post(ann!.token, "/messages", { to: "user/ben", content: { type: "image", file: other } });
    const grant = decodeURIComponent(url!.split("/").at(-1)!);
    const [until = "", signature = "", uid = ""] = grant.split(".");
    const at = (id: string, text: string) => `${publicUrl}/attachments/${id}/thumbnail/${encodeURIComponent(text)}`;
    const over = writeGrant(api.secrets.signingKey, { file, uid: "ben", until: Math.floor(Date.now() / 1_000) - 1 });
    const wrong = [
      at(other, grant),
      at(file, `${Number(until) + 60}.${signature}.${uid}`),
      at(file, `${until}.${signature}.eve`),
      at(file, `${until}.${signature.slice(1)}.${uid}`),
      ...[over, "x", "a.b.c", `${until}.é.${uid}`].map((text) => at(file, text)),
    ];
    for (const one of wrong) {
      const { status, code } = await fetched(one);
      assert.deepEqual([one, status, code], [one, 403, "forbidden"]);
    }
    const good = writeGrant(api.secrets.signingKey, { file, uid: "ben", until: Math.floor(Date.now() / 1_000) + 5 });
    assert.equal((await fetched(at(file, good))).status, 200);
    assert.ok(Number(until) * 1_000 - Date.now() <= 15 * 60_000, "a quarter of an hour at most");
  });

  await t.test("nothing but the thumbnail: not the file", async () => {
    const { status } = await fetched(url!.replace("/thumbnail/", "/"));
    assert.equal(status, 404);
    assert.equal((await fetch(`${api.url}/attachments/${file}/thumbnail`)).status, 401);
  });

  await t.test("once its message is recalled the address gives nothing, and no new one is given", async () => {
    const { seq } = sent.body;
    const json = { to: "user/ben", content: { type: "recall", seq } };
    assert.equal((await post(ann!.token, "/messages", json)).status, 200);
    const { status, code } = await fetched(url);
    assert.deepEqual([status, code], [404, "not_found"]);
    assert.deepEqual(await signed([{ file, uid: "ben" }]), [null]);
  });
});

test("there is no address for a file without a thumbnail or that is none, nor where api's own is not known", async () => {
  const file = await picture(70);
  await post(ann!.token, "/messages", { to: "user/ben", content: { type: "image", file } });
  const headers = { authorization: `Bearer ${ann!.token}` };
  const response = await fetch(`${api.url}/attachments`, { method: "POST", headers, body: "plain text" });
  const { id: text } = (await response.json()) as Attachment;
  await post(ann!.token, "/messages", { to: "user/ben", content: { type: "file", file: text } });
  const unknown = `f-${"a".repeat(32)}`;
  const asked = [file, text, unknown].map((one) => ({ file: one, uid: "ben" }));
  const [url, ...none] = await signed(asked);
  assert.deepEqual([url?.startsWith(publicUrl), none], [true, [null, null]]);
  for (const wrong of [
    [{ file: "x", uid: "ben" }],
    [{ file, uid: "a b" }],
    Array(pushAskedMax + 1).fill(asked[0]),
    [null],
  ])
    await assert.rejects(signed(wrong), { code: "invalid_packet" });
  await api.restart({ API_PUBLIC_URL: "" });
  assert.deepEqual(await eventually(() => signed(asked)), [null, null, null]);
  await api.restart();
});

test("who fetches by an address too often is slowed as its user, and guesses as a stranger", async () => {
  const file = await picture(80);
  await post(ann!.token, "/messages", { to: "user/ben", content: { type: "image", file } });
  await api.restart({ API_RATE: "1", API_BURST: "3", API_ADDRESS_RATE: "1", API_ADDRESS_BURST: "2" });
  const [url] = await eventually(() => signed([{ file, uid: "ben" }]));
  const statuses = async (one: string, times: number) => {
    const all = await Promise.all(Array.from({ length: times }, () => fetched(one)));
    return [...new Set(all.map(({ status }) => status))].toSorted();
  };
  assert.deepEqual(await statuses(url!, 8), [200, 429]);
  assert.deepEqual(await statuses(`${url}x`, 8), [403, 429]);
  await api.restart();
});
