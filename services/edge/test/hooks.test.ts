// How the hooks are asked: kept answers, several replicas, and what becomes of a question that nobody answers.
import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { eventually, startServers } from "@parley/testkit";
import type { Packet } from "mqtt-packet";
import { openSession } from "./raw-client.ts";
import {
  cached,
  connectDevice,
  deny,
  fault,
  newClientId,
  ok,
  startBoth,
  startHookServer,
  startTestEdge,
} from "./surroundings.ts";

const { mosquitto } = await startServers({ after }, { mosquitto: true });

const isDecision = (hook: string) => hook.startsWith("auth_on_publish") || hook.startsWith("auth_on_subscribe");

test("an answer with max-age is asked for once, whatever the QoS and payload", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  hooks.answer(() => cached(60, ok));
  const device = await connectDevice(t, edge);
  for (let index = 0; index < 60; index++)
    await device.publishAsync("kept/topic", String(index), { qos: (index % 3) as 0 | 1 | 2 });
  assert.equal(hooks.of("auth_on_publish_m5").length, 1);
  for (const qos of [0, 1, 2] as const) {
    const [granted] = await device.subscribeAsync("kept/filter", { qos });
    assert.equal(granted?.qos, qos);
  }
  assert.equal(hooks.of("auth_on_subscribe_m5").length, 1);
});

test("an answer without max-age is asked for every time", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  hooks.answer(() => cached(0, ok));
  const device = await connectDevice(t, edge);
  for (let count = 1; count <= 5; count++) {
    await device.publishAsync("asked", "x", { qos: 1 });
    await device.subscribeAsync("asked", { qos: 1 });
    assert.equal(hooks.of("auth_on_publish_m5").length, count);
    assert.equal(hooks.of("auth_on_subscribe_m5").length, count);
  }
});

test("a kept answer is another topic's, client's or user's to no extent", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  hooks.answer(() => cached(60, ok));
  const clientId = newClientId();
  const topics = ["a", "a/b", "A"];
  const logins = [
    { clientId, username: "alice" },
    { clientId: newClientId(), username: "alice" },
    { clientId, username: "bob" },
  ];
  for (const login of logins) {
    const device = await connectDevice(t, edge, login);
    for (const topic of [...topics, ...topics]) await device.publishAsync(topic, "x", { qos: 1 });
    await device.endAsync();
  }
  const asked = hooks.of("auth_on_publish_m5").map((body) => [body.client_id, body.username, body.topic]);
  assert.deepEqual(
    asked,
    logins.flatMap(({ clientId: id, username }) => topics.map((topic) => [id, username, topic])),
  );
});

test("a kept answer ends when its time is over, also a refusal", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  hooks.answer((hook) => (isDecision(hook) ? cached(1, deny) : ok));
  const device = await connectDevice(t, edge);
  await assert.rejects(device.publishAsync("later", "x", { qos: 1 }), /Not authorized/);
  await assert.rejects(device.publishAsync("later", "x", { qos: 1 }), /Not authorized/);
  assert.equal(hooks.of("auth_on_publish_m5").length, 1);
  hooks.answer(() => ok);
  await eventually(() =>
    device.publishAsync("later", "x", { qos: 1 }).then(
      () => true,
      () => false,
    ),
  );
});

test("of the topics of one SUBSCRIBE only those without a kept answer are asked", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  hooks.answer(() => cached(60, ok));
  const device = await connectDevice(t, edge);
  await device.subscribeAsync(["one", "two"], { qos: 1 });
  const granted = await device.subscribeAsync(["two", "three", "one"], { qos: 0 });
  assert.deepEqual(
    granted.map(({ qos }) => qos),
    [0, 0, 0],
  );
  const asked = hooks
    .of("auth_on_subscribe_m5")
    .map(({ topics }) => topics.map(({ topic }: { topic: string }) => topic));
  assert.deepEqual(asked, [["two", "one"], ["three"]]);
});

test("the memory of answers is bounded: the least recently used is asked again", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_DECISION_CACHE_ENTRIES: "2" });
  hooks.answer(() => cached(60, ok));
  const device = await connectDevice(t, edge);
  for (const topic of ["a", "b", "a", "c", "a", "b"]) await device.publishAsync(topic, "x", { qos: 1 });
  assert.deepEqual(
    hooks.of("auth_on_publish_m5").map(({ topic }) => topic),
    ["a", "b", "c", "b"],
  );
});

test("what no hook decides is not refused: it waits, and passes once a hook answers", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_HOOK_TIMEOUT_MS: "200" });
  const device = await connectDevice(t, edge);
  const answers = [
    () => new Promise<never>(() => {}),
    () => ({ body: "ok" }),
    () => ({ body: "[]" }),
    () => ({ body: '"ok"' }),
    () => cached(60, { body: {} }),
    () => ({ body: { result: "ok", padding: "x".repeat(2_000_000) } }),
    () => ({ body: { result: { error: "server_busy" } } }),
  ];
  for (const answer of answers) {
    let asked = 0;
    // Each question is asked twice before it has failed.
    hooks.answer((hook) => (isDecision(hook) && ++asked <= 2 ? answer() : ok));
    await device.publishAsync("t", "x", { qos: 1 });
    assert.equal(asked >= 2, true, String(answer));
    asked = 0;
    await device.subscribeAsync("t", { qos: 1 });
    assert.equal(asked >= 2, true, String(answer));
  }
});

for (const version of [4, 5] as const)
  test(`what no hook decides for too long closes the connection without a word, so that it is sent again, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_DECISION_WAIT_MS: "0" });
    hooks.answer((hook) => (isDecision(hook) ? fault : ok));
    const packets: Packet[] = [
      { cmd: "publish", topic: "t", payload: "x", qos: 1, dup: false, retain: false, messageId: 1 },
      { cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "t", qos: 1 }] },
    ];
    for (const packet of packets) {
      const client = await openSession(t, edge.tcp, version, newClientId());
      client.send(packet);
      assert.deepEqual(await client.closed(), [], packet.cmd);
    }
  });

test("replicas are asked in turn, and one that is down costs nobody an answer", async (t) => {
  const [one, two] = [await startHookServer(t), await startHookServer(t)];
  const edge = await startTestEdge(t, mosquitto, { url: `${one.url},${two.url}` });
  const device = await connectDevice(t, edge);
  for (let index = 0; index < 20; index++) await device.publishAsync(`t/${index}`, "x", { qos: 1 });
  assert.ok(one.asked.length >= 8 && two.asked.length >= 8, `${one.asked.length} and ${two.asked.length}`);
  await one.stop();
  for (let index = 0; index < 20; index++) await device.publishAsync(`u/${index}`, "x", { qos: 1 });
  assert.ok(two.of("auth_on_publish_m5").filter(({ topic }) => topic.startsWith("u/")).length === 20);
});

test("a replica that hangs leaves the others time to answer", async (t) => {
  const hanging = createServer((socket) => void socket.on("error", () => {}));
  await new Promise<void>((resolve) => hanging.listen(0, "127.0.0.1", resolve));
  t.after(() => hanging.close());
  const { port } = hanging.address() as { port: number };
  const live = await startHookServer(t);
  const env = { EDGE_HOOK_TIMEOUT_MS: "1500" };
  const edge = await startTestEdge(t, mosquitto, { url: `http://127.0.0.1:${port},${live.url}` }, env);
  const device = await connectDevice(t, edge);
  for (let index = 0; index < 4; index++) await device.publishAsync(`t/${index}`, "x", { qos: 1 });
});

test("a replica that hangs is tried by one question a second, and nobody else waits for it", async (t) => {
  let asked = 0;
  const held = new Set<Socket>();
  const hanging = createServer((socket) => {
    asked += 1;
    held.add(socket.on("error", () => {}));
  });
  await new Promise<void>((resolve) => hanging.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of held) socket.destroy();
    hanging.close();
  });
  const { port } = hanging.address() as { port: number };
  const live = await startHookServer(t);
  const env = { EDGE_HOOK_TIMEOUT_MS: "3000" };
  const edge = await startTestEdge(t, mosquitto, { url: `http://127.0.0.1:${port},${live.url}` }, env);
  // The edge's own probes have found it out.
  await eventually(() => asked >= 2);
  const before = asked;
  const begun = performance.now();
  const devices = Array.from({ length: 40 }, () => connectDevice(t, edge));
  await Promise.all(devices);
  const seconds = Math.ceil((performance.now() - begun) / 1_000);
  assert.ok(asked - before <= 2 + seconds, `${asked - before} of 40 questions went to the one that hangs`);
});

test("a replica that is about to end answers what it was asked, and what is asked next goes by another link", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_DECISION_WAIT_MS: "0" });
  const held = Promise.withResolvers<void>();
  hooks.answer(async (_, { topic }) => {
    if (topic === "held") await held.promise;
    return ok;
  });
  const device = await connectDevice(t, edge);
  const other = await connectDevice(t, edge);
  const before = device.publishAsync("held", "x", { qos: 1 });
  await eventually(() => hooks.of("auth_on_publish_m5").length === 1);
  const opened = hooks.links();
  hooks.end();
  await other.publishAsync("next", "x", { qos: 1 });
  assert.ok(hooks.links() > opened);
  held.resolve();
  await before;
  assert.equal(hooks.of("auth_on_publish_m5").length, 2, "nothing was asked twice");
});

test("a link that is cut costs nobody an answer: what waited on it is asked again", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_DECISION_WAIT_MS: "0" });
  let cuts = 0;
  // No line of the link: the edge closes it.
  hooks.answer((_, { topic }) => (topic === "cut" && ++cuts === 1 ? { body: "{" } : ok));
  const [device, other] = [await connectDevice(t, edge), await connectDevice(t, edge)];
  const [cut, kept] = ["cut", "kept"].map((topic, index) =>
    [device, other][index]!.publishAsync(topic, "x", { qos: 1 }),
  );
  await Promise.all([cut, kept]);
  assert.equal(cuts, 2);
});

test("questions of one turn leave together, and one that is slow keeps none waiting", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  const slow = Promise.withResolvers<void>();
  hooks.answer(async (_, { client_id }) => {
    if (client_id === "alice:slow") await slow.promise;
    return ok;
  });
  const late = connectDevice(t, edge, { clientId: "alice:slow" });
  await Promise.all(Array.from({ length: 20 }, () => connectDevice(t, edge)));
  slow.resolve();
  await late;
});

test("the edge is ready when the broker takes its login and a hook answers, not while either is away, and again when both are back", async (t) => {
  const { mosquitto: broker } = await startServers(t, { mosquitto: true });
  const { hooks, edge } = await startBoth(t, broker, { EDGE_HOOK_TIMEOUT_MS: "500" });
  const { health } = edge.context;
  await eventually(() => Object.keys(health.reasons()).length === 0);
  await hooks.stop();
  await eventually(() => "hooks" in health.reasons());
  assert.ok(!("broker" in health.reasons()));
  await broker.kill();
  await eventually(() => "broker" in health.reasons());
  await broker.start();
  await startHookServer(t, Number(new URL(hooks.url).port));
  await eventually(() => Object.keys(health.reasons()).length === 0);
});
