// kill -9 of the real api around what is made of a file.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@parley/testkit";
import sharp from "sharp";
import { startApiProcess } from "./api-process.ts";
import { password } from "./surroundings.ts";

test("a thumbnail whose maker dies before or behind it is made by the next api, and is there once", async (t) => {
  const api = await startApiProcess(t);
  await api.start("before-thumbnail");
  assert.equal((await api.call("POST", "/register", { json: { username: "ann", password } })).status, 200);
  const { token } = (await api.call("POST", "/login", { json: { username: "ann", password } })).body;
  const info = async (id: string) => (await api.call("GET", `/attachments/${id}/info`, { token })).body;
  const isMade = (id: string) =>
    eventually(async () => (await info(id)).media.state === "ready", { timeoutMs: 150_000 });
  const upload = async (side: number): Promise<string> => {
    const photo = await sharp({ create: { width: side, height: side, channels: 3, background: "blue" } })
      .png()
      .toBuffer();
    const headers = { "content-type": "application/octet-stream" };
    const { body } = await api.call("POST", "/attachments", { token, raw: photo as never, headers });
    assert.equal(body.media.state, "pending");
    return body.id;
  };
  const first = await upload(10);
  assert.equal(await api.died(), "SIGKILL");
  await api.start("after-thumbnail:2");
  await isMade(first);
  const second = await upload(20);
  assert.equal(await api.died(), "SIGKILL");
  await api.start();
  await isMade(second);
  assert.deepEqual([(await info(first)).media.width, (await info(second)).media.width], [10, 20]);
});
