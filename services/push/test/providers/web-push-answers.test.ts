import assert from "node:assert/strict";
import { test } from "node:test";
import { type HttpsReply, startWebPush } from "@parley/testkit";
import type { Outcome } from "../../src/providers/outgoing.ts";
import { assertOutcome, sendersOf, vapid, webMessage } from "./senders.ts";

type Row = [reply: HttpsReply, outcome: Partial<Outcome>, reason?: RegExp];

const after90 = { "retry-after": "90" };
/** RFC 8030, and what push services of browsers answer beside it. */
const answers: Record<string, Row> = {
  "200": [{ status: 200 }, { is: "sent" }],
  "201 with a place": [
    { status: 201, headers: { location: "/m/1" } },
    { is: "sent", id: "/m/1" },
  ],
  "202": [{ status: 202, body: "later" }, { is: "sent" }],
  "204": [{ status: 204 }, { is: "sent" }],
  "301": [{ status: 301, headers: { location: "https://127.0.0.1:1/" } }, { is: "refused" }, /not followed/],
  "307": [{ status: 307, headers: { location: "https://127.0.0.1:1/" } }, { is: "refused" }, /not followed/],
  "400": [{ status: 400, body: { errno: 110, message: "Invalid crypto" } }, { is: "refused" }, /^400 .*Invalid crypto/],
  "400 VapidPkHashMismatch": [{ status: 400, body: { reason: "VapidPkHashMismatch" } }, { is: "gone" }, /Mismatch/],
  "401": [{ status: 401, body: "bad jwt" }, { is: "refused" }, /does not take our VAPID key: .*\(401 bad jwt\)$/],
  "403": [{ status: 403, body: "wrong sender" }, { is: "refused" }, /does not take our VAPID key: .*wrong sender/],
  "404": [{ status: 404 }, { is: "gone" }, /^404/],
  "406, Microsoft's throttling": [{ status: 406 }, { is: "later", afterMs: 60_000 }, /^406/],
  "410": [{ status: 410, body: "gone" }, { is: "gone" }, /^410 gone$/],
  "413": [{ status: 413 }, { is: "refused" }, /^413/],
  "415": [{ status: 415 }, { is: "refused" }, /^415/],
  "429": [{ status: 429 }, { is: "later", afterMs: 60_000 }, /^429/],
  "429 with a time": [{ status: 429, headers: after90 }, { is: "later", afterMs: 90_000 }, /^429/],
  "500": [{ status: 500, body: "oops" }, { is: "later" }, /^500 oops$/],
  "502 in HTML": [{ status: 502, body: "<html>bad</html>" }, { is: "later" }, /^502 <html>/],
  "503 with a time": [{ status: 503, headers: after90 }, { is: "later", afterMs: 90_000 }, /^503/],
  "503 with a time that cannot be read": [{ status: 503, headers: { "retry-after": "soon" } }, { is: "later" }, /^503/],
  "a body without an end": [{ status: 410, fault: "trickle" }, { is: "gone" }, /^410/],
  "a body that is cut": [{ status: 503, fault: "cut inside" }, { is: "later" }, /^503/],
  "a 201 whose body has no end": [{ status: 201, fault: "trickle" }, { is: "sent" }],
  "a body of a megabyte": [{ status: 400, body: "x".repeat(1 << 20) }, { is: "refused" }, /^.{200}$/],
};

/** An answer without an end is waited for until the deadline, where that is sooner than a second after its status. */
const hurry = { PUSH_DEADLINE_MS: "1000" };
const isOpen = (reply: HttpsReply) => typeof reply === "object" && "fault" in reply;

for (const [name, [reply, outcome, reason]] of Object.entries(answers))
  test(`Web Push, ${name}: ${JSON.stringify(outcome)}, after one request`, async (t) => {
    const service = await startWebPush(t);
    service.answer(() => reply);
    const sender = sendersOf(t, isOpen(reply) ? { ...service.settings, ...hurry } : service.settings).webpush;
    assertOutcome(await sender.send(webMessage(service)), outcome, reason);
    assert.equal(service.count(), 1);
  });

test("what is sent is what the browser reads, with what the push service has to know, signed by our key", async (t) => {
  const service = await startWebPush(t, { vapidKey: vapid.publicKey });
  const sender = sendersOf(t, service.settings).webpush;
  const full = webMessage(service, { ttl: 30, urgency: "high", topic: "p2p_alice_bob" });
  const plain = webMessage(service);
  for (const one of [full, plain]) assert.equal((await sender.send(one)).is, "sent");
  const [first, second] = service.seen;
  assert.deepEqual([first?.payload, second?.payload], [full.payload, plain.payload]);
  const { ttl, urgency, topic } = first?.headers ?? {};
  assert.deepEqual(
    [ttl, urgency, topic, first?.contact],
    ["30", "high", "p2p_alice_bob", "mailto:operator@parley.example"],
  );
  assert.deepEqual(
    [second?.headers.ttl, second?.headers.urgency, second?.headers.topic],
    ["3600", "normal", undefined],
  );
});

test("the largest payload makes a body of 4,096 bytes in one record; one byte more is refused and not sent", async (t) => {
  const service = await startWebPush(t);
  const sender = sendersOf(t, service.settings).webpush;
  const payload = "é".repeat(1996);
  assert.equal((await sender.send(webMessage(service, { payload: `${payload}x` }))).is, "sent");
  assert.equal(service.seen[0]?.bytes, 4096);
  assertOutcome(await sender.send(webMessage(service, { payload: `${payload}xy` })), { is: "refused" }, /3994 bytes/);
  assert.equal(service.count(), 1);
});

test("a subscription of another key, or of nobody, says so: nothing is thrown, and other subscriptions go on", async (t) => {
  const [service, other] = [await startWebPush(t), await startWebPush(t, { vapidKey: "another" })];
  const sender = sendersOf(t, service.settings).webpush;
  assertOutcome(await sender.send(webMessage(other)), { is: "refused" }, /key with which apps subscribe/);
  const unknown = webMessage(service);
  assertOutcome(await sender.send({ ...unknown, endpoint: `${unknown.endpoint}x` }), { is: "gone" }, /^404/);
  assert.equal((await sender.send(webMessage(service))).is, "sent");
});

test("keys with which nothing can be encrypted are gone, and nobody is asked", async (t) => {
  const service = await startWebPush(t);
  const sender = sendersOf(t, service.settings).webpush;
  const { keys } = service.subscribe();
  const point = Buffer.alloc(65, 7).fill(4, 0, 1).toString("base64url");
  const wrong = [
    { ...keys, p256dh: point },
    { ...keys, p256dh: "AAAA" },
    { ...keys, auth: "AAAA" },
    { p256dh: "", auth: "" },
  ];
  for (const one of wrong) assertOutcome(await sender.send(webMessage(service, { keys: one })), { is: "gone" }, /./);
  assertOutcome(await sender.send(webMessage(service, { topic: "no base64url!" })), { is: "refused" }, /Base64/);
  assert.equal(service.open(), 0);
});
