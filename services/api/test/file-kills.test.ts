// kill -9 of the real api between the steps of storing a file and of removing it.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { utimes } from "node:fs/promises";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import type { Checkpoint } from "@parley/runtime";
import { openStore } from "@parley/store";
import { eventually } from "@parley/testkit";
import { type ApiStore, openApiStore } from "../src/store.ts";
import { startApiProcess } from "./api-process.ts";
import { startHistoryProcess } from "./history-process.ts";
import { password } from "./surroundings.ts";

const api = await startApiProcess({ after });
await api.start();
const history = startHistoryProcess({ after }, api);
await api.call("POST", "/register", { json: { username: "ann", password } });
const { token } = (await api.call("POST", "/login", { json: { username: "ann", password } })).body;
const patient = { timeoutMs: 90_000 };
const long = 3 * 86_400_000;

const upload = (raw: string) =>
  api.call("POST", "/attachments", { token, raw, headers: { "content-type": "text/plain" } });
const blobs = () =>
  readdirSync(join(api.folder, "data/api/blobs"), { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
const areGone = () => eventually(() => blobs().length === 0, patient);

async function withStore(work: (store: ApiStore) => Promise<void>): Promise<void> {
  const opened = await openStore(`sqlite:${api.folder}/data`, { service: "api" });
  await work(await openApiStore(opened.documents()));
  await opened.close();
}

/** Everything that was uploaded is three days old; no api runs. */
async function age(): Promise<void> {
  await withStore(async ({ attachments, contents, uploads }) => {
    for (const { key, doc } of (await attachments.find({ limit: 100 })).items)
      await attachments.put([
        { key, doc: { ...doc, createdAt: doc.createdAt - long, unsentSince: doc.createdAt - long } },
      ]);
    for (const { key, doc } of (await contents.find({ limit: 100 })).items)
      await contents.put([{ key, doc: { ...doc, usedAt: doc.usedAt - long } }]);
    for (const { key, doc } of (await uploads.find({ limit: 100 })).items)
      await uploads.put([{ key, doc: { ...doc, expiresAt: doc.expiresAt - long } }]);
  });
}

async function diesAt(point: Checkpoint): Promise<void> {
  // A sweep at the start may be quicker than its HTTP.
  await api.start(point).catch(() => undefined);
  assert.equal(await api.died(), "SIGKILL");
}

beforeEach(() => assert.deepEqual(blobs(), []));

for (const point of ["before-attachment", "before-attachment-settled"] as const)
  test(`of an upload that dies ${point} nothing is left once it is swept, and again is one attachment`, async () => {
    await api.kill();
    await api.start(point);
    await assert.rejects(upload(point));
    assert.equal(await api.died(), "SIGKILL");
    assert.equal(blobs().length, 1);
    await age();
    const then = (Date.now() - long) / 1_000;
    for (const path of blobs()) await utimes(path, then, then);
    await api.start();
    await areGone();
    const { status, body } = await upload(point);
    assert.deepEqual([status, blobs().length], [201, 1]);
    assert.equal((await api.call("GET", `/attachments/${body.id}`, { token })).body, point);
    await sweepAll();
  });

async function sweepAll(): Promise<void> {
  await api.kill();
  await age();
  await api.start();
  await areGone();
}

test("an attachment that nobody sent, and that api dies over when it is swept, loses its bytes at the next start", async () => {
  await upload("never sent");
  await api.kill();
  await age();
  await diesAt("before-bytes-removed");
  assert.equal(blobs().length, 1, "its bytes are young, and no document names them");
  await api.start();
  await areGone();
});

test("an upload that nobody finished, and that api dies over when it is swept, loses its bytes at the next start", async () => {
  const version = { "tus-resumable": "1.0.0" };
  const begun = { ...version, "upload-length": "1000" };
  const at = (await api.call("POST", "/attachments/uploads", { token, headers: begun })).headers.get("location")!;
  const headers = { ...version, "upload-offset": "0", "content-type": "application/offset+octet-stream" };
  await api.call("PATCH", at, { token, headers, raw: "half of it" });
  assert.equal(blobs().length, 1);
  await api.kill();
  await age();
  await diesAt("before-bytes-removed");
  assert.equal(blobs().length, 1);
  await api.start();
  await areGone();
  assert.equal((await api.call("HEAD", at, { token, headers: version })).status, 404);
});

for (const point of ["before-bytes-removed", "before-freed-told"] as const)
  test(`the file of a recalled message, over which api dies ${point}, is gone behind the next start`, async () => {
    const { id } = (await upload(`recalled ${point}`)).body;
    const send = async (content: object) => {
      const json = { id: `${point} ${(content as { type: string }).type}`, to: "user/ann", content };
      return eventually(async () => {
        const { status, body } = await api.call("POST", "/messages", { token, json });
        return status === 200 ? (body.seq as number) : undefined;
      }, patient);
    };
    const seq = await send({ type: "file", file: id });
    await send({ type: "recall", seq });
    await api.kill();
    await age();
    await history.stop();
    await noteEarlier();
    history.start();
    await diesAt(point);
    await api.start();
    await areGone();
    assert.equal((await api.call("GET", `/attachments/${id}`, { token })).status, 404);
  });

/** What emptied messages had was noted three days ago; no history runs. */
async function noteEarlier(): Promise<void> {
  const opened = await openStore(`sqlite:${api.folder}/data`, { service: "history" });
  const freed = await opened.documents().collection<{ file: string; at: number }>({ name: "freed_files", indexes: { at: ["at"] } }); // biome-ignore format: one line
  const { items } = await freed.find({ limit: 100 });
  assert.ok(items.length > 0);
  await freed.put(items.map(({ key, doc }) => ({ key, doc: { ...doc, at: doc.at - long } })));
  await opened.close();
}
