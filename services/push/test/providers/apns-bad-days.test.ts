import assert from "node:assert/strict";
import { test } from "node:test";
import { type Apns, type ApnsReply, eventually, startApns } from "@parley/testkit";
import type { Outcome } from "../../src/providers/outgoing.ts";
import { alert, assertOutcome, sendersOf, soon } from "./senders.ts";

const many = (n: number) => Array.from({ length: n }, () => alert());
const kinds = (outcomes: Outcome[]) => [...new Set(outcomes.map(({ is }) => is))].sort();

/** Answers wait from now on until they are let go. */
function hold(apns: Apns) {
  const { promise, resolve } = Promise.withResolvers<ApnsReply | undefined>();
  let held = 0;
  apns.answer(() => {
    held++;
    return promise;
  });
  return {
    held: () => held,
    letGo(reply?: ApnsReply) {
      apns.answer(() => undefined);
      resolve(reply);
    },
  };
}

test("while APNs is down notifications are for later, and the same client sends when it is there again", async (t) => {
  const apns = await startApns(t);
  const sender = sendersOf(t, apns.settings).apns;
  await apns.down();
  assertOutcome(await sender.send(alert()), { is: "later" }, /ECONNREFUSED/);
  const outcomes = await Promise.all(many(50).map((one) => sender.send(one)));
  assert.deepEqual(kinds(outcomes), ["later"]);
  await apns.up();
  assert.equal((await sender.send(alert())).is, "sent");
  assert.equal(apns.count(), 1);
});

test("a server whose certificate nobody vouches for gets nothing, and the setting is named", async (t) => {
  const apns = await startApns(t);
  const { PUSH_APNS_CA_FILE: _, ...settings } = apns.settings;
  const sender = sendersOf(t, settings).apns;
  assertOutcome(await sender.send(alert()), { is: "misconfigured" }, /PUSH_APNS_CA_FILE .*certificate/);
  assert.equal(apns.count(), 0);
});

test("a server at an address is held to its certificate as one with a name is", async (t) => {
  const apns = await startApns(t);
  const url = `https://127.0.0.1:${apns.port}`;
  const sender = sendersOf(t, { ...apns.settings, PUSH_APNS_URL: url }).apns;
  assert.equal((await sender.send(alert())).is, "sent");
  const other = url.replace("127.0.0.1", "[::ffff:127.0.0.1]");
  const wrong = sendersOf(t, { ...apns.settings, PUSH_APNS_URL: other }).apns;
  assertOutcome(await wrong.send(alert()), { is: "misconfigured" }, /certificate/);
});

test("a new connection that allows one stream takes a hundred at once: one goes first", async (t) => {
  const apns = await startApns(t, { startsNarrow: true });
  const sender = sendersOf(t, apns.settings).apns;
  for (let n = 1; n <= 2; n++) {
    assert.deepEqual(kinds(await Promise.all(many(100).map((one) => sender.send(one)))), ["sent"]);
    assert.equal(apns.count(), 100 * n);
    apns.cut();
    await eventually(() => apns.open() === 0);
  }
  assert.equal(apns.opened(), 2);
});

test("a silent APNs: unknown at the deadline, for later what waited for the first one, and nothing is sent twice", async (t) => {
  const apns = await startApns(t);
  apns.answer(() => "silence");
  const sender = sendersOf(t, { ...apns.settings, ...soon }).apns;
  const outcomes = await Promise.all(many(3).map((one) => sender.send(one)));
  assert.deepEqual(
    outcomes.map(({ is }) => is),
    ["unknown", "later", "later"],
  );
  assert.equal(apns.count(), 1);
});

test("what waited for the first one of a connection is for later when that one fails: nothing more is posted", async (t) => {
  const apns = await startApns(t);
  apns.answer(() => "cut");
  const sender = sendersOf(t, { ...apns.settings, ...soon }).apns;
  const outcomes = await Promise.all(many(20).map((one) => sender.send(one)));
  assert.deepEqual(
    outcomes.map(({ is }) => is),
    ["unknown", ...Array<string>(19).fill("later")],
  );
  assert.equal(apns.count(), 1);
});

test("after three silences in a row the connection is given up for one other, which shows the same signed token", async (t) => {
  const apns = await startApns(t);
  const sender = sendersOf(t, { ...apns.settings, ...soon }).apns;
  await sender.send(alert());
  apns.answer(() => "silence");
  assert.deepEqual(kinds(await Promise.all(many(2).map((one) => sender.send(one)))), ["unknown"]);
  apns.answer(() => undefined);
  assert.equal((await sender.send(alert())).is, "sent");
  apns.answer(() => "silence");
  assert.equal((await sender.send(alert())).is, "unknown");
  apns.answer(() => undefined);
  assert.equal((await sender.send(alert())).is, "sent");
  assert.equal(apns.opened(), 1);
  apns.answer(() => "silence");
  assert.deepEqual(kinds(await Promise.all(many(100).map((one) => sender.send(one)))), ["unknown"]);
  apns.answer(() => undefined);
  assert.deepEqual(kinds(await Promise.all(many(5).map((one) => sender.send(one)))), ["sent"]);
  assert.deepEqual([apns.opened(), apns.signedTokens()], [2, 1]);
});

test("a GOAWAY with requests in flight: what was taken is answered, the next goes on another connection", async (t) => {
  const apns = await startApns(t);
  const sender = sendersOf(t, apns.settings).apns;
  await sender.send(alert());
  const holding = hold(apns);
  const sending = many(20).map((one) => sender.send(one));
  await eventually(() => holding.held() === 20);
  apns.goAway("at once");
  holding.letGo();
  assert.deepEqual(kinds(await Promise.all(sending)), ["sent"]);
  assert.equal((await sender.send(alert())).is, "sent");
  assert.deepEqual([apns.count(), apns.opened()], [22, 2]);
});

test("a GOAWAY that says what was not taken: that goes again at once, the rest is answered", async (t) => {
  const apns = await startApns(t);
  const sender = sendersOf(t, apns.settings).apns;
  await sender.send(alert());
  const holding = hold(apns);
  const sending = many(20).map((one) => sender.send(one));
  await eventually(() => holding.held() === 20);
  // Streams of a client are odd: 1 was the first, and 3 to 21 are ten of these.
  apns.goAway({ last: 21 });
  holding.letGo();
  const outcomes = await Promise.all(sending);
  assert.deepEqual(
    outcomes.map(({ is }) => is),
    [...Array<string>(10).fill("sent"), ...Array<string>(10).fill("again")],
  );
  assert.equal((await sender.send(alert())).is, "sent");
});

test("a GOAWAY in two steps with requests in flight: each settles, none as if it had not been taken", async (t) => {
  const apns = await startApns(t);
  const sender = sendersOf(t, { ...apns.settings, ...soon }).apns;
  await sender.send(alert());
  const holding = hold(apns);
  const sending = many(20).map((one) => sender.send(one));
  await eventually(() => holding.held() === 20);
  apns.goAway("in two steps");
  holding.letGo();
  for (const outcome of await Promise.all(sending))
    assert.match(outcome.is, /^(sent|unknown)$/, JSON.stringify(outcome));
  assert.equal((await sender.send(alert())).is, "sent");
  assert.equal(apns.opened(), 2);
});

for (const how of ["fin", "rst"] as const)
  test(`a connection that is cut in mid-flight (${how}): unknown each, and the next goes on another connection`, async (t) => {
    const apns = await startApns(t);
    const sender = sendersOf(t, { ...apns.settings, ...soon }).apns;
    await sender.send(alert());
    const holding = hold(apns);
    const sending = many(20).map((one) => sender.send(one));
    await eventually(() => holding.held() === 20);
    apns.cut(how);
    assert.deepEqual(kinds(await Promise.all(sending)), ["unknown"]);
    holding.letGo();
    assert.equal((await sender.send(alert())).is, "sent");
    assert.deepEqual([apns.count(), apns.opened()], [22, 2]);
  });

const resets = { reset: "unknown", refuse: "again", cut: "unknown" } as const;
for (const [reply, is] of Object.entries(resets))
  test(`a ${reply} in place of an answer is ${is}, after one request`, async (t) => {
    const apns = await startApns(t);
    const sender = sendersOf(t, { ...apns.settings, ...soon }).apns;
    await sender.send(alert());
    apns.answer(() => reply as ApnsReply);
    assertOutcome(await sender.send(alert()), { is }, /./);
    assert.equal(apns.count(), 2);
  });

test("one device that is throttled and one server error hold up nobody else", async (t) => {
  const apns = await startApns(t);
  const sender = sendersOf(t, apns.settings).apns;
  const [throttled, failing, ...others] = many(40);
  apns.answer(({ token }) => {
    if (token === throttled?.token) return { status: 429, reason: "TooManyRequests" };
    return token === failing?.token ? { status: 500, reason: "InternalServerError" } : undefined;
  });
  await sender.send(alert());
  const sending = [throttled, failing, ...others].map((one) => sender.send(one ?? alert()));
  const [first, second, ...rest] = await Promise.all(sending);
  assert.deepEqual([first?.is, second?.is, kinds(rest)], ["later", "later", ["sent"]]);
});

test("no more are in flight at once than the setting says; the rest waits its turn", async (t) => {
  const apns = await startApns(t);
  const sender = sendersOf(t, { ...apns.settings, PUSH_APNS_IN_FLIGHT: "5" }).apns;
  await sender.send(alert());
  let [now, most] = [0, 0];
  apns.answer(async () => {
    most = Math.max(most, ++now);
    await new Promise(setImmediate);
    now--;
    return undefined;
  });
  assert.deepEqual(kinds(await Promise.all(many(60).map((one) => sender.send(one)))), ["sent"]);
  assert.ok(most <= 5 && most > 1, String(most));
});

test("closing waits for what is in flight, and takes nothing more", async (t) => {
  const apns = await startApns(t);
  const sender = sendersOf(t, apns.settings).apns;
  await sender.send(alert());
  const holding = hold(apns);
  const sending = many(20).map((one) => sender.send(one));
  await eventually(() => holding.held() === 20);
  let isClosed = false;
  const closing = sender.close().then(() => {
    isClosed = true;
  });
  assertOutcome(await sender.send(alert()), { is: "later", unasked: true }, /stopping/);
  assert.equal(isClosed, false);
  holding.letGo();
  assert.deepEqual(kinds(await Promise.all(sending)), ["sent"]);
  await closing;
  await eventually(() => apns.open() === 0);
});
