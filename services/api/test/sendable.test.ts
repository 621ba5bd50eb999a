// Messages that refer to files, through the real history: only what their sender may have is sent.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually } from "@parley/testkit";
import { startHistoryProcess } from "./history-process.ts";
import { startTestApi } from "./surroundings.ts";

const api = await startTestApi({ after }, { API_MEDIA_WORKERS: "0" });
startHistoryProcess({ after }, api);
const [ann, bob, eve] = [await api.user("ann"), await api.user("bob"), await api.user("eve")];
await eventually(async () => (await api.call("POST", "/sync", { token: ann.token, json: {} })).status === 200, {
  timeoutMs: 120_000,
});

const upload = async (token: string): Promise<string> =>
  (await api.call("POST", "/attachments", { token, raw: "some bytes" })).body.id;
const none = `f-${"a".repeat(32)}`;
const send = async (token: string, to: string, content: object, more: object = {}) => {
  const { status, body } = await api.call("POST", "/messages", {
    token,
    json: { to: `user/${to}`, content: { type: "file", ...content }, ...more },
  });
  return {
    status,
    code: body.error?.code as string | undefined,
    message: body.error?.message as string,
    seq: body.seq,
  };
};

test("a message with a file that does not exist, or that its sender may not have, is refused the same, by the file's name; its receiver has all others", async () => {
  const file = await upload(ann.token);
  for (const content of [{ file: none }, { file }, { url: `/attachments/${none}` }]) {
    const { status, code, message } = await send(bob.token, "eve", content);
    const named = content.file ?? none;
    assert.deepEqual([status, code, message], [404, "not_found", `there is no file ${named} for you to send`]);
  }
  assert.equal((await send(ann.token, "bob", { file })).status, 200);
  // Bob has it now.
  assert.equal((await send(bob.token, "eve", { file })).status, 200);
  const got = await api.call("GET", `/attachments/${file}`, { token: eve.token });
  assert.equal(got.status, 200);
  // What may be another server's is not asked for here.
  assert.equal((await send(bob.token, "eve", { url: `https://chat.example/attachments/${none}` })).status, 200);
});

test("a file that a message brought is sent on by messages.forward", async () => {
  const file = await upload(ann.token);
  const { seq } = await send(ann.token, "bob", { file });
  const path = `/conversations/${encodeURIComponent("p2p/ann/bob")}/messages/${seq}/forward`;
  const forwarded = await api.call("POST", path, { token: bob.token, json: { to: "user/eve" } });
  assert.equal(forwarded.status, 200);
  assert.equal((await api.call("GET", `/attachments/${file}`, { token: eve.token })).status, 200);
});

test("a message with an upload in parts that is not at its end is refused as a conflict, and stored once it is", async () => {
  const headers = { "tus-resumable": "1.0.0" };
  const created = await api.call("POST", "/attachments/uploads", {
    token: ann.token,
    headers: { ...headers, "upload-length": "4" },
  });
  const at = created.headers.get("location") ?? "";
  const file = at.split("/").at(-1) ?? "";
  assert.equal((await send(ann.token, "bob", { file }, { id: "m1" })).code, "conflict");
  assert.equal((await send(bob.token, "eve", { file })).code, "not_found");
  const part = { ...headers, "upload-offset": "0", "content-type": "application/offset+octet-stream" };
  assert.equal((await api.call("PATCH", at, { token: ann.token, headers: part, raw: "four" })).status, 204);
  assert.equal((await send(ann.token, "bob", { file }, { id: "m1" })).status, 200);
});

test("a message that is sent later is refused when it is scheduled, where its file is not there to send", async () => {
  const at = Date.now() + 60_000;
  const schedule = (id: string, file: string) =>
    api.call("POST", "/scheduled", {
      token: ann.token,
      json: { at, message: { id, to: "user/bob", content: { type: "file", file } } },
    });
  assert.equal((await schedule("s1", none)).body.error?.code, "not_found");
  assert.equal((await schedule("s2", await upload(ann.token))).status, 200);
});
