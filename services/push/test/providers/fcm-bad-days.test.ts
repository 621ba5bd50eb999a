import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { eventually, type HttpsReply, keyFolder, startFcm } from "@parley/testkit";
import type { Outcome } from "../../src/providers/outgoing.ts";
import { assertOutcome, fcmMessage, sendersOf, soon } from "./senders.ts";

const many = (n: number) => Array.from({ length: n }, () => fcmMessage());
const kinds = (outcomes: Outcome[]) => [...new Set(outcomes.map(({ is }) => is))].sort();

test("while FCM is down notifications are for later, and the same client sends when it is there again", async (t) => {
  const fcm = await startFcm(t);
  const sender = sendersOf(t, fcm.settings).fcm;
  await sender.send(fcmMessage());
  await fcm.down();
  // What goes out on a connection whose end has not been seen yet is unknown.
  await eventually(async () => (await sender.send(fcmMessage())).is === "later");
  const outcomes = await Promise.all(many(20).map((one) => sender.send(one)));
  assert.deepEqual(kinds(outcomes), ["later"], JSON.stringify(outcomes));
  await fcm.up();
  assert.equal((await sender.send(fcmMessage())).is, "sent");
  assert.equal(fcm.count(), 2);
});

test("a server whose certificate nobody vouches for gets nothing, and the setting is named", async (t) => {
  const fcm = await startFcm(t);
  const { PUSH_FCM_CA_FILE: _, ...settings } = fcm.settings;
  const sender = sendersOf(t, settings).fcm;
  assertOutcome(await sender.send(fcmMessage()), { is: "misconfigured" }, /PUSH_FCM_CA_FILE .*certificate/);
  assert.equal(fcm.asked(), 0);
});

const lies: Record<string, HttpsReply> = {
  "says nothing": "silence",
  "cuts the connection": "cut",
  "cuts its answer": { status: 200, fault: "cut inside" },
  "cuts an error": { status: 503, fault: "cut inside" },
  "never ends its answer": { status: 200, fault: "trickle" },
};
for (const [name, reply] of Object.entries(lies))
  test(`an FCM that ${name}: unknown within the deadline, after one request, and the next is sent`, async (t) => {
    const fcm = await startFcm(t);
    const sender = sendersOf(t, { ...fcm.settings, ...soon }).fcm;
    await sender.send(fcmMessage());
    fcm.answer(() => reply);
    assertOutcome(await sender.send(fcmMessage()), { is: "unknown" }, /./);
    fcm.answer(() => undefined);
    assert.equal((await sender.send(fcmMessage())).is, "sent");
    assert.equal(fcm.count(), 3);
  });

test("connections that are cut in mid-flight: unknown each, none is sent twice, and the next is sent", async (t) => {
  const fcm = await startFcm(t);
  const sender = sendersOf(t, { ...fcm.settings, ...soon }).fcm;
  await sender.send(fcmMessage());
  fcm.answer(() => "silence");
  const sending = many(20).map((one) => sender.send(one));
  await eventually(() => fcm.count() === 21);
  fcm.cut();
  assert.deepEqual(kinds(await Promise.all(sending)), ["unknown"]);
  fcm.answer(() => undefined);
  assert.equal((await sender.send(fcmMessage())).is, "sent");
  assert.equal(fcm.count(), 22);
});

test("no more connections than the setting says, however much is sent at once and however silent FCM is", async (t) => {
  const fcm = await startFcm(t);
  const seven = { ...fcm.settings, PUSH_FCM_IN_FLIGHT: "7" };
  const sender = sendersOf(t, seven).fcm;
  let most = 0;
  fcm.answer(() => {
    most = Math.max(most, fcm.open());
    return undefined;
  });
  assert.deepEqual(kinds(await Promise.all(many(100).map((one) => sender.send(one)))), ["sent"]);
  await sender.close();
  await eventually(() => fcm.open() === 0);
  const hasty = sendersOf(t, { ...seven, ...soon }).fcm;
  assert.equal((await hasty.send(fcmMessage())).is, "sent");
  fcm.answer(() => "silence");
  for (let n = 0; n < 3; n++)
    assert.deepEqual(kinds(await Promise.all(many(7).map((one) => hasty.send(one)))), ["unknown"]);
  most = Math.max(most, fcm.open());
  // The last one is to Google, for the access token.
  assert.ok(most > 2 && most <= 7 + 1, String(most));
});

test("an access token that is refused goes again at once with another; when that is refused too the account is named", async (t) => {
  const fcm = await startFcm(t);
  const sender = sendersOf(t, fcm.settings).fcm;
  await sender.send(fcmMessage());
  fcm.forgetTokens();
  assert.deepEqual(kinds(await Promise.all(many(5).map((one) => sender.send(one)))), ["again"]);
  assert.equal((await sender.send(fcmMessage())).is, "sent");
  assert.equal(fcm.asked(), 2);
  fcm.forgetTokens();
  assertOutcome(await sender.send(fcmMessage()), { is: "misconfigured" }, /PUSH_FCM_SERVICE_ACCOUNT_FILE must be/);
});

test("a key that Google does not know: nothing is sent, and the setting and Google's word for it are named", async (t) => {
  const fcm = await startFcm(t);
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const account = JSON.parse(await readFile(fcm.settings.PUSH_FCM_SERVICE_ACCOUNT_FILE ?? "", "utf8")) as object;
  const revoked = { ...account, private_key: String(privateKey.export({ type: "pkcs8", format: "pem" })) };
  const file = await (await keyFolder(t))("revoked.json", JSON.stringify(revoked));
  const sender = sendersOf(t, { ...fcm.settings, PUSH_FCM_SERVICE_ACCOUNT_FILE: file }).fcm;
  const reason = /PUSH_FCM_SERVICE_ACCOUNT_FILE must be a key .*\(invalid_grant\)$/;
  assertOutcome(await sender.send(fcmMessage()), { is: "misconfigured" }, reason);
  assert.deepEqual([fcm.asked(), fcm.count()], [1, 0]);
});

test("an account of another project: FCM does not know it, and the setting is named", async (t) => {
  const [fcm, other] = [await startFcm(t), await startFcm(t, { project: "another" })];
  const { PUSH_FCM_SERVICE_ACCOUNT_FILE: file = "" } = fcm.settings;
  const account = JSON.parse(await readFile(file, "utf8")) as object;
  const moved = await (await keyFolder(t))("moved.json", JSON.stringify({ ...account, project_id: "another" }));
  const sender = sendersOf(t, { ...fcm.settings, PUSH_FCM_SERVICE_ACCOUNT_FILE: moved }).fcm;
  assertOutcome(await sender.send(fcmMessage()), { is: "misconfigured" }, /project of the app \(NOT_FOUND\)$/);
  assert.equal(other.count(), 0);
});

const oauths: Record<string, HttpsReply> = {
  "answers 503": { status: 503, body: { error: "backend_error" } },
  "answers in HTML": { status: 200, body: "<html>hello</html>" },
  "says nothing": "silence",
  "cuts the connection": "cut",
};
for (const [name, reply] of Object.entries(oauths))
  test(`a Google that ${name} when it is asked for access: all is for later within the deadline, nothing of it is sent, and it mends itself`, async (t) => {
    const fcm = await startFcm(t);
    const sender = sendersOf(t, { ...fcm.settings, ...soon }).fcm;
    fcm.answerOauth(() => reply);
    assert.deepEqual(kinds(await Promise.all(many(3).map((one) => sender.send(one)))), ["later"]);
    fcm.answerOauth(() => undefined);
    await eventually(async () => (await sender.send(fcmMessage())).is === "sent");
    assert.equal(fcm.count(), 1);
  });

test("closing waits for what is in flight, takes nothing more, and leaves no connection", async (t) => {
  const fcm = await startFcm(t);
  const sender = sendersOf(t, fcm.settings).fcm;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  fcm.answer(() => promise);
  const sending = many(20).map((one) => sender.send(one));
  await eventually(() => fcm.count() === 20);
  const closing = sender.close();
  assertOutcome(await sender.send(fcmMessage()), { is: "later", unasked: true }, /stopping/);
  resolve(undefined);
  assert.deepEqual(kinds(await Promise.all(sending)), ["sent"]);
  await closing;
  await eventually(() => fcm.open() === 0);
});
