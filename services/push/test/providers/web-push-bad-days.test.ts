import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { eventually, type HttpsReply, startWebPush, type WebPush } from "@parley/testkit";
import type { Outcome } from "../../src/providers/outgoing.ts";
import { assertOutcome, sendersOf, soon, webMessage } from "./senders.ts";

const many = (service: WebPush, n: number) => Array.from({ length: n }, () => webMessage(service));
const kinds = (outcomes: Outcome[]) => [...new Set(outcomes.map(({ is }) => is))].sort();

test("while a push service is down notifications are for later, and those to another one are sent", async (t) => {
  const [service, other] = [await startWebPush(t), await startWebPush(t)];
  const sender = sendersOf(t, service.settings).webpush;
  await service.down();
  assertOutcome(await sender.send(webMessage(service)), { is: "later" }, /ECONNREFUSED/);
  assert.equal((await sender.send(webMessage(other))).is, "sent");
  await service.up();
  assert.equal((await sender.send(webMessage(service))).is, "sent");
});

const lies: Record<string, [HttpsReply, Outcome["is"]]> = {
  "says nothing": ["silence", "unknown"],
  "cuts the connection": ["cut", "unknown"],
};
for (const [name, [reply, is]] of Object.entries(lies))
  test(`a push service that ${name}: ${is} within the deadline, after one request, and the next is sent`, async (t) => {
    const service = await startWebPush(t);
    const sender = sendersOf(t, { ...service.settings, ...soon }).webpush;
    service.answer(() => reply);
    assertOutcome(await sender.send(webMessage(service)), { is }, /./);
    await eventually(() => service.open() === 0);
    service.answer(() => undefined);
    assert.equal((await sender.send(webMessage(service))).is, "sent");
    assert.equal(service.count(), 2);
  });

test("connections that are cut in mid-flight: unknown each, none is sent twice", async (t) => {
  const service = await startWebPush(t);
  const sender = sendersOf(t, { ...service.settings, ...soon }).webpush;
  service.answer(() => "silence");
  const sending = many(service, 20).map((one) => sender.send(one));
  await eventually(() => service.count() === 20);
  service.cut("rst");
  assert.deepEqual(kinds(await Promise.all(sending)), ["unknown"]);
  assert.equal(service.count(), 20);
});

test("a push service that is slow holds half of all turns at most: others are sent meanwhile", async (t) => {
  const [slow, other] = [await startWebPush(t), await startWebPush(t)];
  const sender = sendersOf(t, { ...slow.settings, PUSH_WEB_IN_FLIGHT: "4" }).webpush;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  slow.answer(() => promise);
  const waiting = many(slow, 20).map((one) => sender.send(one));
  await eventually(() => slow.count() === 2);
  assert.deepEqual(kinds(await Promise.all(many(other, 10).map((one) => sender.send(one)))), ["sent"]);
  assert.equal(slow.count(), 2);
  resolve(undefined);
  assert.deepEqual(kinds(await Promise.all(waiting)), ["sent"]);
});

test("an endpoint at an inner address gets nothing, by its address or by its name, unless the setting names it", async (t) => {
  const service = await startWebPush(t);
  const { PUSH_WEB_ALLOW: _, ...settings } = service.settings;
  const sender = sendersOf(t, { ...settings, ...soon }).webpush;
  const { endpoint } = service.subscribe();
  const { port, pathname } = new URL(endpoint);
  const hosts = ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1", "0x7f.1", "2130706433"];
  for (const host of hosts) {
    const at = `https://${host}:${port}${pathname}`;
    assertOutcome(await sender.send(webMessage(service, { endpoint: at })), { is: "refused" }, /not public/);
  }
  // No name server knows it, and what this machine calls itself is not asked.
  const local = await sender.send(webMessage(service, { endpoint: `https://localhost:${port}${pathname}` }));
  assert.match(local.is, /^(later|refused)$/, JSON.stringify(local));
  assert.equal(service.open(), 0);
  const allowed = sendersOf(t, service.settings).webpush;
  assert.equal((await allowed.send(webMessage(service))).is, "sent");
});

test("an endpoint that is not https is gone, and nobody is asked", async (t) => {
  const service = await startWebPush(t);
  const sender = sendersOf(t, service.settings).webpush;
  let asked = 0;
  const plain = createServer(() => asked++).listen(0, "127.0.0.1");
  await once(plain, "listening");
  t.after(() => plain.close());
  const { port } = plain.address() as { port: number };
  const wrong = [
    `http://127.0.0.1:${port}/`,
    "file:///etc/hostname",
    "nonsense",
    "",
    "https://android.googleapis.com/gcm/send/1",
  ];
  for (const endpoint of wrong)
    assertOutcome(await sender.send(webMessage(service, { endpoint })), { is: "gone" }, /./);
  assert.equal(asked, 0);
});

test("an answer that is large or has no end ends its connection; one that is in order keeps it", async (t) => {
  const service = await startWebPush(t);
  const sender = sendersOf(t, service.settings).webpush;
  for (let n = 0; n < 3; n++) assert.equal((await sender.send(webMessage(service))).is, "sent");
  assert.equal(service.opened(), 1);
  service.answer(() => ({ status: 400, body: "x".repeat(1 << 20) }));
  assert.equal((await sender.send(webMessage(service))).is, "refused");
  service.answer(() => ({ status: 201, fault: "trickle" }));
  assert.equal((await sender.send(webMessage(service))).is, "sent");
  assert.equal(service.opened(), 2);
  await eventually(() => service.open() === 0);
});

test("a redirect is not followed", async (t) => {
  const [service, other] = [await startWebPush(t), await startWebPush(t)];
  const sender = sendersOf(t, service.settings).webpush;
  service.answer(() => ({ status: 308, headers: { location: other.subscribe().endpoint } }));
  assertOutcome(await sender.send(webMessage(service)), { is: "refused" });
  assert.equal(other.open(), 0);
});

test("a push service whose certificate nobody vouches for gets nothing, and it is no fault of ours", async (t) => {
  const service = await startWebPush(t);
  const { PUSH_WEB_CA_FILE: _, ...settings } = service.settings;
  const sender = sendersOf(t, settings).webpush;
  assertOutcome(await sender.send(webMessage(service)), { is: "later" }, /certificate/);
  assert.equal(service.count(), 0);
});

test("closing waits for what is in flight, takes nothing more, and leaves no connection", async (t) => {
  const service = await startWebPush(t);
  const sender = sendersOf(t, service.settings).webpush;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  service.answer(() => promise);
  const sending = many(service, 10).map((one) => sender.send(one));
  await eventually(() => service.count() === 10);
  const closing = sender.close();
  assertOutcome(await sender.send(webMessage(service)), { is: "later", unasked: true }, /stopping/);
  resolve(undefined);
  assert.deepEqual(kinds(await Promise.all(sending)), ["sent"]);
  await closing;
  await eventually(() => service.open() === 0);
});
