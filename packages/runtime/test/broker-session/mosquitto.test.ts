// The broker session on real Mosquitto.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, startServers } from "@parley/testkit";
import { connectAsync } from "mqtt";
import { numbers, openSession } from "./open-session.ts";
import { type Passed, startProxy } from "./proxy.ts";

const text = (payload: string) => Buffer.from(payload);

test("PUBACKs reach Mosquitto in the order of arrival, whatever order ack() is called in", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  const proxy = await startProxy(t, mosquitto.port, { drip: false });
  const { session, arrivals } = openSession(t, { ...mosquitto, url: proxy.url });
  await session.whenConnected();
  await Promise.all(numbers(50).map((n) => session.publish("in/x", text(n), 1)));
  await eventually(() => arrivals.length === 50);
  for (const { ack } of arrivals.toReversed()) ack();
  const idsOf = (packets: typeof proxy.fromBroker, cmd: string) =>
    packets.filter((packet) => packet.cmd === cmd).map(({ messageId }) => messageId);
  await eventually(() => idsOf(proxy.fromClient, "puback").length === 50);
  assert.deepEqual(idsOf(proxy.fromClient, "puback"), idsOf(proxy.fromBroker, "publish"));
  assert.equal(session.stats().held, 0);
});

test("un-acked packets come again to the session that takes over, in order, with DUP", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  const first = openSession(t, mosquitto);
  await first.session.whenConnected();
  await Promise.all(numbers(10).map((n) => first.session.publish("in/x", text(n), 1)));
  await eventually(() => first.arrivals.length === 10);
  // 1, 2 and 3 are acknowledged; 5 and 9 are not, their turn has not come.
  for (const index of [2, 0, 4, 1, 8]) first.arrivals[index]?.ack();
  // Answered after the PUBACKs that went before it on the same connection.
  await first.session.publish("elsewhere", text("x"), 1);
  assert.equal(first.session.stats().acked, 3);
  const second = openSession(t, mosquitto, { ack: true });
  await eventually(() => !first.session.connected);
  await first.session.close({ graceful: false });
  await eventually(() => second.arrivals.length === 7);
  assert.deepEqual(second.texts(), ["4", "5", "6", "7", "8", "9", "10"]);
  assert.ok(second.arrivals.every(({ packet }) => packet.dup));
  first.arrivals[3]?.ack();
  assert.equal(first.session.stats().acked, 3);
});

test("a session that was taken over comes back, but not at once", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  const first = openSession(t, mosquitto);
  await first.session.whenConnected();
  const second = openSession(t, mosquitto);
  await second.session.whenConnected();
  await second.session.close({ graceful: false });
  await eventually(() => first.session.connected);
  // Mosquitto 2.1 says that it was taken over, 2.0 only ends the connection.
  const line = first.lines.find(({ retryMs }) => retryMs !== undefined);
  assert.ok(Number(line?.retryMs) >= 1_000, `waited ${line?.retryMs} ms`);
});

test("nothing published is lost when Mosquitto is killed and started again", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  const { session, texts } = openSession(t, mosquitto, { ack: true });
  await session.whenConnected();
  const answered = new Set<string>();
  const publish = (n: string) => session.publish("in/x", text(n), 1).then(() => answered.add(n));
  const all = numbers(3_000);
  const before = all.slice(0, 500).map(publish);
  await eventually(() => answered.size > 100);
  mosquitto.pause();
  const unanswered = all.slice(500).map(publish);
  await eventually(() => session.stats().inFlight > 0);
  const safe = new Set([...answered, ...texts()]);
  await mosquitto.kill();
  await mosquitto.start();
  await Promise.all([...before, ...unanswered]);
  await eventually(() => {
    const seen = new Set([...safe, ...texts()]);
    return all.every((n) => seen.has(n));
  });
  const firstSeen = [...new Set(texts())].map(Number);
  assert.deepEqual(
    firstSeen,
    firstSeen.toSorted((a, b) => a - b),
    "first deliveries are in order",
  );
});

test("the session lives on at Mosquitto over a restart: what is queued for it comes", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  const away = openSession(t, mosquitto);
  await away.session.whenConnected();
  await away.session.close({ graceful: true });
  const sender = openSession(t, mosquitto, { clientId: "sender", subscriptions: [] });
  await sender.session.publishMany(
    numbers(20).map((n) => `in/${n}`),
    text("x"),
    1,
  );
  await mosquitto.kill("SIGTERM");
  await mosquitto.start();
  const back = openSession(t, mosquitto, { ack: true });
  await eventually(() => back.arrivals.length === 20);
  assert.deepEqual(
    back.arrivals.map(({ packet }) => packet.topic),
    numbers(20).map((n) => `in/${n}`),
  );
});

/** The most packets of QoS 1 from one side that were without PUBACK at the same time. */
function mostUnanswered(both: readonly Passed[], from: Passed["from"]): number {
  const open = new Set<number | undefined>();
  let most = 0;
  for (const { from: side, packet } of both) {
    if (packet.cmd === "publish" && packet.qos === 1 && side === from) open.add(packet.messageId);
    if (packet.cmd === "puback" && side !== from) open.delete(packet.messageId);
    most = Math.max(most, open.size);
  }
  return most;
}

test("the broker's Receive Maximum is kept; ours is announced, and a broker that forgets it is borne", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: { settings: ["max_inflight_messages 5"] } });
  const proxy = await startProxy(t, mosquitto.port, { drip: false });
  const { session, arrivals, texts, states } = openSession(t, { ...mosquitto, url: proxy.url }, { receiveMaximum: 3 });
  await Promise.all(numbers(200).map((n) => session.publish("in/x", text(n), 1)));
  assert.equal(mostUnanswered(proxy.both, "client"), 5);
  assert.equal(mostUnanswered(proxy.both, "broker"), 3);
  // From the first PUBACK on Mosquitto 2.0.11 sends more than three at once.
  for (let acked = 0; acked < 200; acked++) (await eventually(() => arrivals[acked], { intervalMs: 1 })).ack();
  assert.deepEqual(texts(), numbers(200));
  assert.deepEqual(states, ["connecting", "connected"]);
});

test("our own window holds where the broker would take more", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  const proxy = await startProxy(t, mosquitto.port, { drip: false });
  const { session, arrivals } = openSession(t, { ...mosquitto, url: proxy.url }, { maxInFlight: 10, ack: true });
  await Promise.all(numbers(300).map((n) => session.publish("in/x", text(n), 1)));
  await eventually(() => arrivals.length === 300);
  assert.equal(mostUnanswered(proxy.both, "client"), 10);
});

test("a broker that stands still is noticed by keep-alive, and the session goes on when it moves again", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  const { session, states, arrivals } = openSession(t, mosquitto, { keepAliveSeconds: 1, ack: true });
  await session.whenConnected();
  mosquitto.pause();
  await eventually(() => states.includes("disconnected: the broker does not answer pings"));
  assert.equal(session.connected, false);
  const late = session.publish("in/x", text("late"), 1);
  mosquitto.resume();
  await late;
  await eventually(() => arrivals.length > 0);
  assert.ok(session.connected);
});

test("a quiet session stays connected through many keep-alive times", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  const proxy = await startProxy(t, mosquitto.port, { drip: false });
  const { session, states } = openSession(t, { ...mosquitto, url: proxy.url }, { keepAliveSeconds: 1 });
  await eventually(() => proxy.fromBroker.filter(({ cmd }) => cmd === "pingresp").length >= 4);
  assert.deepEqual(states, ["connecting", "connected"]);
  assert.ok(session.connected);
});

test("a wrong password is said by name, tried again, and never logged", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  const { session, states, lines } = openSession(t, { ...mosquitto, password: "not-the-password" });
  await eventually(() => lines.length >= 3);
  assert.equal(session.connected, false);
  assert.ok(states.includes("disconnected: the broker refused the connection: 135 (not authorized)"), states.join());
  assert.ok(!JSON.stringify(lines).includes("not-the-password"));
});

test("packets of every kind survive a network that carries one byte at a time", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  const proxy = await startProxy(t, mosquitto.port, { drip: true });
  const { session, arrivals, states } = openSession(t, { ...mosquitto, url: proxy.url }, { ack: true });
  const properties = {
    contentType: "application/json",
    responseTopic: "in/answer",
    correlationData: Buffer.from([0, 255, 10]),
    messageExpiryInterval: 60,
  };
  const payloads = [...numbers(20), "x".repeat(130), "y".repeat(17_000)];
  for (const payload of payloads) await session.publish("in/ü", text(payload), 1, properties);
  await session.publish("in/last", text("0"), 0);
  await eventually(() => arrivals.length === payloads.length + 1);
  assert.deepEqual(
    arrivals.map(({ text: payload }) => payload),
    [...payloads, "0"],
  );
  assert.deepEqual({ ...arrivals[0]?.packet.properties }, properties);
  assert.deepEqual(states, ["connecting", "connected"]);
});

test("payloads of 64 KiB pass in order, many at once", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  const { session, arrivals } = openSession(t, mosquitto, { ack: true });
  const payloads = numbers(100).map((n) => Buffer.alloc(65_536, Number(n)));
  await Promise.all(payloads.map((payload) => session.publish("in/x", payload, 1)));
  await eventually(() => arrivals.length === 100);
  for (const [index, payload] of payloads.entries()) assert.ok(arrivals[index]?.packet.payload.equals(payload));
});

test("one payload goes to a thousand topics, and the promise waits for all of them", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  const { session, arrivals } = openSession(t, mosquitto, { ack: true, maxInFlight: 50 });
  const topics = numbers(1_000).map((n) => `in/${n}`);
  await session.publishMany(topics, text("all"), 1);
  assert.equal(session.stats().inFlight, 0);
  await eventually(() => arrivals.length === 1_000);
  assert.deepEqual(
    arrivals.map(({ packet }) => packet.topic),
    topics,
  );
});

test("a graceful close keeps the session and loses nothing that was not acked", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  const first = openSession(t, mosquitto);
  await first.session.whenConnected();
  await Promise.all(numbers(6).map((n) => first.session.publish("in/x", text(n), 1)));
  await eventually(() => first.arrivals.length === 6);
  first.session.stopReceiving();
  await first.session.publish("in/x", text("7"), 1);
  const closed = first.session.close({ graceful: true, waitMs: 200 });
  for (const { ack } of first.arrivals.slice(0, 4)) ack();
  const last = first.session.publish("in/x", text("8"), 1);
  await closed;
  await last;
  assert.equal(first.arrivals.length, 6, "nothing is handed over after stopReceiving");
  await assert.rejects(first.session.publish("in/x", text("9"), 1), { code: "unavailable" });
  const second = openSession(t, mosquitto, { ack: true });
  await eventually(() => second.arrivals.length === 4);
  assert.deepEqual(second.texts(), ["5", "6", "7", "8"]);
});

test("retained messages come neither with the first connect nor with a later one", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  const { url, username, password } = mosquitto;
  const client = await connectAsync(url, { username, password });
  t.after(() => client.endAsync(true));
  await client.publishAsync("in/kept", "retained", { qos: 1, retain: true });
  const { session, states, texts } = openSession(t, mosquitto, { ack: true });
  await session.whenConnected();
  await mosquitto.kill("SIGTERM");
  await mosquitto.start();
  await eventually(() => states.filter((state) => state === "connected").length === 2);
  await session.publish("in/x", text("last"), 1);
  await eventually(() => texts().includes("last"));
  assert.deepEqual(texts(), ["last"]);
});
