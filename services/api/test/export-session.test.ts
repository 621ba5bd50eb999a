// An export of an account, whose session is ended while it is made.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { devicesList, methodSubject, pushList, pushSettings, subjects } from "@parley/protocol";
import { answerJson, requestJson } from "@parley/runtime";
import { eventually, serviceContext } from "@parley/testkit";
import { startHistoryProcess } from "./history-process.ts";
import { startTestApi } from "./surroundings.ts";

const api = await startTestApi({ after }, { API_MEDIA_WORKERS: "0" });
startHistoryProcess({ after }, api);
const directory = "PK\u0005\u0006";
const { log } = serviceContext("test");
answerJson(api.nats, methodSubject(pushList.name), "test", () => ({ result: { tokens: [] } }), log);
answerJson(api.nats, methodSubject(pushSettings.name), "test", () => ({ result: {} }), log);
const password = { old: "old-password-1", new: "new-password-2" };

async function logIn(device: string): Promise<string> {
  const answer = await api.call("POST", "/login", { json: { username: "eve", password: password.old, device } });
  return (answer.body as { token: string }).token;
}

test("an export ends, and is no whole ZIP, when the password is changed while it is made", async () => {
  await api.call("POST", "/register", { json: { username: "eve", password: password.old } });
  const [token, own] = [await logIn("thief"), await logIn("own")];
  const answers = async () => (await api.call("POST", "/sync", { token, json: {} })).status === 200;
  await eventually(answers, { timeoutMs: 60_000 });
  const [asked, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const hold = async () => {
    asked.resolve();
    await held.promise;
    return { result: { devices: [] } };
  };
  answerJson(api.nats, methodSubject(devicesList.name), "test", hold, log);
  const exporting = fetch(`${api.url}/account/export`, { headers: { authorization: `Bearer ${token}` } });
  const received = exporting.then(async (answer) => Buffer.from(await answer.arrayBuffer())).catch(() => Buffer.of());
  await asked.promise;
  const json = { password: password.old, newPassword: password.new };
  assert.equal((await api.call("POST", "/password", { token: own, json })).status, 200);
  held.resolve();
  assert.ok(!(await received).includes(directory));
});

test("an export ends in the middle of a long file when its device is removed", async () => {
  const bytes = 24_000_000;
  const { token, clientId } = await api.user("ann");
  const raw = new Uint8Array(randomBytes(bytes));
  assert.equal((await api.call("POST", "/attachments", { token, raw })).status, 201);
  const answer = await fetch(`${api.url}/account/export`, { headers: { authorization: `Bearer ${token}` } });
  assert.ok(answer.body);
  let [received, removed] = [0, false];
  const read = async (body: AsyncIterable<Uint8Array>) => {
    for await (const part of body) {
      received += part.length;
      if (received < 1_000_000) continue;
      if (!removed) await requestJson(api.nats, subjects.revokeDevice, { uid: "ann", clientId }, { timeoutMs: 5_000 });
      removed = true;
      await sleep(25); // a reader so slow that the file takes longer than the look at the session
    }
  };
  await assert.rejects(read(answer.body));
  assert.ok(removed && received < bytes);
});

test("a download and an upload of a file end in the middle when their device is removed", async () => {
  const bytes = 24_000_000;
  const [own, lost] = [await api.user("dan", "own"), await api.logIn("dan", "lost")];
  const raw = new Uint8Array(randomBytes(bytes));
  const { body } = await api.call("POST", "/attachments", { token: own.token, raw });
  const headers = { authorization: `Bearer ${lost.token}` };
  const download = await fetch(`${api.url}${body.url}`, { headers });
  assert.ok(download.body);
  let [sent, isOver] = [0, false];
  const endless = new ReadableStream({
    async pull(controller) {
      if (isOver) return controller.close();
      await sleep(25);
      controller.enqueue(randomBytes(10_000));
      sent += 1;
    },
  });
  const upload = fetch(`${api.url}/attachments`, {
    method: "POST",
    headers,
    body: endless,
    duplex: "half",
  } as RequestInit);
  const [uploaded, downloaded] = [assert.rejects(upload), assert.rejects(readSlowly(download.body))];
  await eventually(() => sent > 3);
  await requestJson(api.nats, subjects.revokeDevice, { uid: "dan", clientId: lost.clientId }, { timeoutMs: 5_000 });
  await Promise.all([uploaded, downloaded]);
  isOver = true;
  const whole = await fetch(`${api.url}${body.url}`, { headers: { authorization: `Bearer ${own.token}` } });
  assert.equal((await whole.arrayBuffer()).byteLength, bytes);
});

async function readSlowly(body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of body) await sleep(25);
}
