// The broker session against a scripted peer: what Mosquitto does not do, or not on demand.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { eventually } from "@parley/testkit";
import { refusalsOf, type WhenFull } from "../../src/index.ts";
import { numbers, openSession } from "./open-session.ts";
import { publishPacket, startPeer } from "./peer.ts";

const text = (payload: string) => Buffer.from(payload);

test("a DUP whose packet id is still held is ignored, and is a new packet once it was acked", async (t) => {
  const peer = await startPeer(t);
  const { session, arrivals, texts } = openSession(t, peer);
  await session.whenConnected();
  const { send, pubacks } = peer.last();
  send(publishPacket(1, "a"), publishPacket(1, "a", true), publishPacket(2, "b"));
  await eventually(() => arrivals.length === 2);
  assert.deepEqual(texts(), ["a", "b"]);
  arrivals[0]?.ack();
  await eventually(() => pubacks().length === 1);
  send(publishPacket(1, "c", true));
  await eventually(() => arrivals.length === 3);
  for (const { ack } of arrivals) ack();
  await eventually(() => pubacks().length === 3);
  assert.deepEqual(pubacks(), [1, 2, 1]);
});

test("acks held over a lost connection are dropped: the same id on the next one is another packet", async (t) => {
  const peer = await startPeer(t);
  const { session, arrivals } = openSession(t, peer);
  await session.whenConnected();
  peer.last().send(publishPacket(1, "old"));
  await eventually(() => arrivals.length === 1);
  peer.last().cut();
  await eventually(() => peer.connections.length === 2 && session.connected);
  peer.last().send(publishPacket(1, "new", true));
  await eventually(() => arrivals.length === 2);
  arrivals[0]?.ack();
  assert.equal(session.stats().held, 1);
  arrivals[1]?.ack();
  await eventually(() => peer.last().pubacks().length === 1);
  assert.equal(session.stats().acked, 1);
});

for (const sessionPresent of [true, false]) {
  const how = sessionPresent ? "with DUP to a resumed session" : "as new to a fresh session";
  test(`what was not PUBACKed is sent again ${how}, in order, with the same ids`, async (t) => {
    const peer = await startPeer(t, {
      connack: (connection) => ({ sessionPresent: connection > 0 && sessionPresent }),
      pubackWith: ({ payload }, connection) => (connection > 0 || payload.toString() === "2" ? 0 : undefined),
    });
    const { session } = openSession(t, peer, { maxInFlight: 4 });
    const published = numbers(6).map((n) => session.publish("out", text(n), 1));
    await published[1];
    await eventually(() => peer.last().publishes().length === 5);
    const before = new Map(
      peer
        .last()
        .publishes()
        .map(({ payload, messageId }) => [payload.toString(), messageId]),
    );
    peer.last().cut();
    await Promise.all(published);
    const again = peer.last().publishes();
    assert.deepEqual(
      again.map(({ payload, dup }) => [payload.toString(), dup]),
      [...["1", "3", "4", "5"].map((n) => [n, sessionPresent]), ["6", false]],
    );
    for (const { payload, messageId } of again.slice(0, 4)) assert.equal(messageId, before.get(payload.toString()));
    assert.equal(session.stats().inFlight, 0);
  });
}

test("a smaller window after a reconnect is kept by what is sent again", async (t) => {
  const peer = await startPeer(t, {
    connack: (connection) => ({ sessionPresent: true, properties: { receiveMaximum: connection === 0 ? 10 : 2 } }),
  });
  const { session } = openSession(t, peer);
  const published = numbers(8).map((n) => session.publish("out", text(n), 1));
  await eventually(() => peer.last().publishes().length === 8);
  peer.last().cut();
  await eventually(() => peer.connections.length === 2 && peer.last().publishes().length === 2);
  for (let answered = 0; answered < 8; answered++) {
    const { messageId = 0 } = await eventually(() => peer.last().publishes()[answered]);
    assert.ok(peer.last().publishes().length <= answered + 2);
    peer.last().send({ cmd: "puback", messageId, reasonCode: 0 });
  }
  await Promise.all(published);
});

test("each topic that the broker refuses is told with its code; no matching subscribers is a success", async (t) => {
  const codes: Record<string, number> = { good: 0, nobody: 0x10, forbidden: 0x87, full: 0x97, wrong: 0x90 };
  const peer = await startPeer(t, { pubackWith: ({ topic }) => codes[topic] });
  const { session } = openSession(t, peer);
  await session.publish("good", text("x"), 1);
  await session.publish("nobody", text("x"), 1);
  const alone = await session.publish("forbidden", text("x"), 1).catch((error) => error);
  assert.equal(alone.code, "unavailable");
  assert.match(alone.message, /135 \(not authorized\)/);
  assert.deepEqual(refusalsOf(alone), [{ topic: "forbidden", reasonCode: 0x87, final: false }]);
  const some = await session.publishMany(["good", "full", "nobody", "wrong"], text("x"), 1).catch((error) => error);
  assert.deepEqual(refusalsOf(some), [
    { topic: "full", reasonCode: 0x97, final: false },
    { topic: "wrong", reasonCode: 0x90, final: true },
  ]);
  assert.equal(peer.last().publishes().length, 7);
});

test("a publish over the broker's Maximum Packet Size is refused for good and not sent, at QoS 0 and 1", async (t) => {
  const peer = await startPeer(t, { connack: () => ({ properties: { maximumPacketSize: 100 } }), pubackWith: () => 0 });
  const { session } = openSession(t, peer);
  // 2 fixed, 5 topic, 2 id (QoS 1), 1 properties.
  await session.publish("out", Buffer.alloc(90), 1);
  await session.publish("out", Buffer.alloc(92), 0);
  await session.publish("out", Buffer.alloc(93), 0);
  assert.equal(session.stats().dropped, 1);
  const error = await session.publish("out", Buffer.alloc(91), 1).catch((thrown) => thrown);
  assert.equal(error.code, "too_large");
  assert.deepEqual(refusalsOf(error), [{ topic: "out", reasonCode: 0x95, final: true }]);
  await session.publish("out", text("still there"), 1);
  assert.equal(peer.last().publishes().length, 3);
});

test("a broker without QoS 1 is said to be one", async (t) => {
  const peer = await startPeer(t, { connack: () => ({ properties: { maximumQoS: 0 } }) });
  const { session } = openSession(t, peer, { subscriptions: [] });
  await assert.rejects(session.publish("out", text("x"), 1), { code: "unavailable", message: /QoS not supported/ });
});

test("what waits for a full queue is neither refused nor overtaken, and what may be refused is meanwhile", async (t) => {
  const peer = await startPeer(t, { granted: (connection) => [connection === 0 ? 0x80 : 1], pubackWith: () => 0 });
  const { session } = openSession(t, peer, { maxQueuedBytes: 3_000 });
  const publish = (n: number, bytes: number, whenFull: WhenFull) =>
    session.publish("out", Buffer.alloc(bytes, n), 1, undefined, whenFull);
  const published = [publish(0, 1_000, "reject"), publish(1, 2_500, "wait"), publish(2, 10, "wait")];
  await assert.rejects(publish(9, 10, "reject"), { details: { reason: "queue_full" } });
  published.push(publish(3, 2_500, "wait"));
  await Promise.all(published);
  assert.equal(session.stats().queuedBytes, 0);
  const order = peer.last().publishes();
  assert.deepEqual(
    order.map(({ payload }) => payload[0]),
    [0, 1, 2, 3],
  );
  await publish(4, 10, "reject");
});

test("no more than 10,000 publishes wait for a full queue", async (t) => {
  const peer = await startPeer(t, { granted: () => [0x80] });
  const { session } = openSession(t, peer, { maxQueuedBytes: 0 });
  const wait = () => session.publish("out", text("x"), 1, undefined, "wait");
  for (let n = 0; n < 10_000; n++) wait().catch(() => undefined);
  await assert.rejects(wait(), { details: { reason: "queue_full" } });
});

test("the queue is bounded in bytes; what it took is sent when the broker is there", async (t) => {
  const peer = await startPeer(t, { granted: (connection) => [connection === 0 ? 0x80 : 1], pubackWith: () => 0 });
  const { session } = openSession(t, peer, { maxQueuedBytes: 10_000 });
  const published: Promise<void>[] = [];
  for (let n = 0; n < 9; n++) published.push(session.publish("out", Buffer.alloc(1_000, n), 1));
  await assert.rejects(session.publish("out", Buffer.alloc(1_000), 1), { code: "unavailable", message: /full/ });
  assert.ok(session.stats().queuedBytes > 9_000 && session.stats().queuedBytes <= 10_000);
  await Promise.all(published);
  assert.equal(session.stats().queuedBytes, 0);
  assert.deepEqual(
    peer
      .last()
      .publishes()
      .map(({ payload }) => payload[0]),
    [0, 1, 2, 3, 4, 5, 6, 7, 8],
  );
});

test("QoS 0 resolves when it is written and when it is dropped", async (t) => {
  const peer = await startPeer(t);
  const { session } = openSession(t, peer);
  await session.publish("out", text("too early"), 0);
  assert.equal(session.stats().dropped, 1);
  await session.whenConnected();
  await session.publish("out", text("in time"), 0);
  await eventually(() => peer.last().publishes().length === 1);
  assert.equal(session.stats().dropped, 1);
});

test("what is said in one turn is one write", async (t) => {
  const peer = await startPeer(t, {});
  const { session, arrivals } = openSession(t, peer);
  await session.whenConnected();
  const { send, reads, pubacks, publishes } = peer.last();
  send(...numbers(20).map((n) => publishPacket(Number(n), n)));
  await eventually(() => arrivals.length === 20);
  const before = reads();
  for (const { ack } of arrivals) ack();
  for (const n of numbers(50)) void session.publish("out", text(n), 1).catch(() => undefined);
  for (const n of numbers(50)) void session.publish("out", text(n), 0);
  await eventually(() => publishes().length === 100 && pubacks().length === 20);
  assert.equal(reads() - before, 1);
});

test("a refused subscription is said by name, and tried again on a new connection", async (t) => {
  const peer = await startPeer(t, { granted: (connection) => [1, connection === 0 ? 0x87 : connection === 1 ? 0 : 1] });
  const subscriptions = [
    { topic: "in/a", qos: 1 },
    { topic: "in/b", qos: 1 },
  ] as const;
  const { session, states } = openSession(t, peer, { subscriptions });
  await session.whenConnected();
  assert.deepEqual(states, [
    "connecting",
    "disconnected: subscription in/b refused: 135 (not authorized)",
    "connecting",
    "disconnected: subscription in/b granted with QoS 0 instead of 1",
    "connecting",
    "connected",
  ]);
});

test("CONNECT says what was asked for; later ones resume the session; every one subscribes without retained", async (t) => {
  const peer = await startPeer(t);
  const { session } = openSession(t, peer, {
    cleanStart: true,
    receiveMaximum: 77,
    username: "u",
    password: "p",
    subscriptions: [{ topic: "in/#", qos: 1, noLocal: true }],
  });
  await session.whenConnected();
  peer.last().cut();
  await eventually(() => peer.connections.length === 2 && session.connected);
  const connects = peer.connections.map(({ received }) => received.find((packet) => packet.cmd === "connect"));
  assert.deepEqual(
    connects.map((connect) => connect?.clean),
    [true, false],
  );
  assert.equal(connects[0]?.properties?.receiveMaximum, 77);
  assert.equal(connects[0]?.properties?.sessionExpiryInterval, 3_600);
  assert.equal(connects[0]?.username, "u");
  assert.equal(connects[0]?.password?.toString(), "p");
  for (const { received } of peer.connections) {
    const subscribe = received.find((packet) => packet.cmd === "subscribe");
    assert.deepEqual({ ...subscribe?.subscriptions[0] }, { topic: "in/#", qos: 1, nl: true, rap: false, rh: 2 });
  }
});

test("the broker's keep-alive overrules ours, and a broker that answers no ping is given up", async (t) => {
  const peer = await startPeer(t, { connack: () => ({ properties: { serverKeepAlive: 1 } }), pings: false });
  const { states } = openSession(t, peer, { keepAliveSeconds: 600 });
  await eventually(() => states.includes("disconnected: the broker does not answer pings"));
});

test("a broker that accepts and says nothing is given up", async (t) => {
  const silent = createServer((socket) => void socket.on("error", () => undefined));
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  t.after(() => silent.close());
  const { port } = silent.address() as { port: number };
  const server = { url: `mqtt://127.0.0.1:${port}` };
  const { states } = openSession(t, server, { connectTimeoutMs: 100 });
  await eventually(() => states.filter((state) => state === "connecting").length > 1);
  assert.equal(states[1], "disconnected: no answer to CONNECT or SUBSCRIBE in time");
});

test("a take-over said by the broker is a state of its own and leaves it a second", async (t) => {
  const peer = await startPeer(t);
  const { session, states, lines } = openSession(t, peer);
  await session.whenConnected();
  peer.last().send({ cmd: "disconnect", reasonCode: 0x8e });
  await eventually(() => states.includes("taken_over: the broker disconnected: 142 (session taken over)"));
  const line = lines.find(({ event }) => event === "broker_session_taken_over");
  assert.ok(Number(line?.retryMs) >= 1_000);
  await session.close({ graceful: true });
  assert.equal(peer.connections.length, 1);
});

test("more than our Receive Maximum is borne, with one warning a connection", async (t) => {
  const peer = await startPeer(t);
  const { session, arrivals, lines } = openSession(t, peer, { receiveMaximum: 2 });
  await session.whenConnected();
  peer.last().send(...numbers(6).map((n) => publishPacket(Number(n), n)));
  await eventually(() => arrivals.length === 6);
  assert.equal(lines.filter(({ event }) => event === "broker_exceeds_receive_maximum").length, 1);
  assert.ok(session.connected);
});

test("what is not MQTT ends the connection with a reason, and the session connects again", async (t) => {
  const peer = await startPeer(t);
  const { session, states } = openSession(t, peer);
  await session.whenConnected();
  peer.last().send({ cmd: "publish", topic: "in/x", payload: "x", qos: 2, dup: false, retain: false, messageId: 1 });
  await eventually(() => peer.connections.length === 2 && session.connected);
  assert.match(states[2] ?? "", /QoS 2/);
  const last = peer.connections[0]?.received.at(-1);
  assert.deepEqual([last?.cmd, last?.cmd === "disconnect" && last.reasonCode], ["disconnect", 0x81]);
});

test("packet ids are used again only when they are free, past 65,535 of them", async (t) => {
  const held: number[] = [];
  const peer = await startPeer(t, {
    pubackWith: ({ messageId = 0, payload }) => (payload.toString() === "hold" ? void held.push(messageId) : 0),
  });
  const { session } = openSession(t, peer);
  const holding = session.publish("out", text("hold"), 1);
  const topics = numbers(33_000);
  await session.publishMany(topics, text("x"), 1);
  await session.publishMany(topics, text("x"), 1);
  const [id = 0] = held;
  const used = peer
    .last()
    .publishes()
    .filter(({ messageId }) => messageId === id);
  assert.equal(used.length, 1, "the id of an unanswered publish was used again");
  assert.ok(
    !peer
      .last()
      .publishes()
      .some(({ messageId }) => messageId === 0),
  );
  peer.last().send({ cmd: "puback", messageId: id, reasonCode: 0 });
  await holding;
});

test("sessions that lost their broker do not come back in step", async (t) => {
  const peer = await startPeer(t, { connack: () => ({ reasonCode: 0x88 }) });
  const herd = numbers(30).map((n) => openSession(t, peer, { clientId: `herd-${n}` }));
  const waitOf = ({ lines }: (typeof herd)[number]) => lines.find(({ attempt }) => attempt === 5)?.retryMs;
  await eventually(() => herd.every((one) => waitOf(one) !== undefined));
  const waits = herd.map((one) => Number(waitOf(one)));
  assert.ok(Math.max(...waits) <= 800);
  assert.ok(new Set(waits.map((wait) => Math.floor(wait / 100))).size >= 4, `waits: ${waits.join(" ")}`);
});

test("closing rejects what was not answered and what was waiting for a connection", async (t) => {
  const peer = await startPeer(t, { connack: () => ({ reasonCode: 0x88 }) });
  const { session, states } = openSession(t, peer);
  const published = session.publish("out", text("x"), 1);
  const connected = session.whenConnected();
  const bothReject = Promise.all([
    assert.rejects(published, { code: "unavailable", message: /closed/ }),
    assert.rejects(connected, { code: "unavailable", message: /closed/ }),
  ]);
  await Promise.all([session.close({ graceful: true }), session.close({ graceful: false })]);
  await bothReject;
  assert.equal(states.at(-1)?.startsWith("disconnected"), true);
});
