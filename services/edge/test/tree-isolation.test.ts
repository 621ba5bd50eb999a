// No device with a tree reaches another's, nor anything outside of trees: one case a way it might.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { treeUplinkPrefix, treeWillPrefix } from "@parley/protocol";
import { eventually, startServers, type TestContext } from "@parley/testkit";
import mqtt from "mqtt";
import type { IPublishPacket } from "mqtt-packet";
import { openSession, type RawClient } from "./raw-client.ts";
import { connectDevice, newClientId, startBoth } from "./surroundings.ts";
import { grantTrees, mountpointOf, startTreeRouter, toldOf } from "./trees.ts";

const { mosquitto } = await startServers({ after }, { mosquitto: true });
const versions = [4, 5] as const;

const publish = (topic: string, rest: Partial<IPublishPacket> = {}): IPublishPacket => ({
  cmd: "publish",
  topic,
  payload: "attack",
  qos: 1,
  messageId: 1,
  dup: false,
  retain: false,
  ...rest,
});

/**
 * An attacker with a tree; another device with one, and a native one, that each subscribed all that they may; and a
 * service that hears everything. All of them at one edge.
 */
async function openStage(t: TestContext, attackerId = newClientId()) {
  const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_RATE_PACKETS: "100000" });
  const [otherId, nativeId] = [newClientId(), newClientId()];
  grantTrees(hooks, {}, (clientId) => clientId === nativeId);
  const router = await startTreeRouter(t, mosquitto);
  const other = await connectDevice(t, edge, { clientId: otherId });
  const native = await connectDevice(t, edge, { clientId: nativeId });
  await other.subscribeAsync("#", { qos: 2 });
  await native.subscribeAsync(["im/dn/alice/m", "room/1"], { qos: 2 });
  const places = [
    mountpointOf(attackerId),
    treeUplinkPrefix(mountpointOf(attackerId)),
    treeWillPrefix(mountpointOf(attackerId)),
  ];
  /** What came of it at the broker: all but what is in the attacker's own places. */
  const outside = () =>
    router.heard.filter(
      ({ topic, payload }) => payload.startsWith("attack") && !places.some((place) => topic.startsWith(place)),
    );
  /** Says something to each of the others: what they get besides was the attacker's. */
  const check = async (what: string) => {
    await router.say(otherId, "fine", "last");
    await native.publishAsync("room/1", "last", { qos: 1 });
    await eventually(() => other.received.includes("last") && native.received.includes("last"));
    assert.deepEqual([other.received.splice(0), native.received.splice(0)], [["last"], ["last"]], what);
    assert.deepEqual(outside(), [], what);
  };
  return { hooks, edge, router, otherId, attackerId, check };
}

/** Topics of others and of services. */
function topicsOfOthers(otherId: string): string[] {
  return [
    `${mountpointOf(otherId)}t`,
    `${treeUplinkPrefix(mountpointOf(otherId))}t`,
    `${treeWillPrefix(mountpointOf(otherId))}t`,
    "im/dn/alice/m",
    `im/up/0/alice/${otherId}/msg`,
    "room/1",
    "parley/sessions/00/alice/x",
    `../../${otherId}/t`,
    "/",
    "//room/1",
    "$SYS/broker/heap/current",
    "$share/g/room/1",
    "$queue/room/1",
    "é/\u{1f600}/~",
  ];
}

for (const version of versions) {
  test(`no topic reaches anything but the attacker's own router, MQTT ${version}`, async (t) => {
    const { edge, router, otherId, attackerId, check } = await openStage(t);
    const attacker = await openSession(t, edge.tcp, version, attackerId);
    const topics = topicsOfOthers(otherId);
    for (const [index, topic] of topics.entries())
      for (const qos of [0, 1] as const)
        attacker.send(publish(topic, { qos, messageId: index + 1, retain: qos === 1 }));
    await eventually(() => router.of(attackerId).length === 2 * topics.length);
    assert.deepEqual(
      router.of(attackerId).map(({ topic }) => topic),
      topics.flatMap((topic) => [topic, topic]),
    );
    await check("topics");
  });

  test(`no wildcard is published, MQTT ${version}`, async (t) => {
    const { edge, router, otherId, attackerId, check } = await openStage(t);
    for (const topic of ["#", "+", `${mountpointOf(otherId)}#`, "im/x/+/alice/t", "room/+"]) {
      const attacker = await openSession(t, edge.tcp, version, attackerId);
      attacker.send(publish(topic));
      await attacker.closed();
    }
    assert.deepEqual(router.of(attackerId), []);
    await check("wildcards");
  });

  test(`nothing that the attacker publishes is retained, MQTT ${version}`, async (t) => {
    const { edge, attackerId, otherId } = await openStage(t);
    const will = { topic: "will", payload: Buffer.from("attack"), qos: 1 as const, retain: true };
    const attacker = await openSession(t, edge.tcp, version, attackerId, { will });
    for (const topic of ["a", ...topicsOfOthers(otherId)]) attacker.send(publish(topic, { retain: true }));
    attacker.send({ cmd: "pingreq" });
    while ((await attacker.next()).cmd !== "pingresp");
    attacker.socket.destroy();
    const login = { username: "parley", password: mosquitto.password, reconnectPeriod: 0 };
    const service = await mqtt.connectAsync(mosquitto.url, login, false);
    t.after(() => service.end(true));
    const found: string[] = [];
    service.on("message", (topic, payload, { retain }) => {
      if (payload.toString() === "last") found.push("last");
      else if (retain && !topic.startsWith("parley/sessions/") && !topic.startsWith("$SYS/")) found.push(topic);
    });
    await service.subscribeAsync(["#", "$SYS/#"], { qos: 1 });
    await service.publishAsync("behind/it", "last", { qos: 1 });
    await eventually(() => found.includes("last"));
    assert.deepEqual(found, ["last"]);
  });

  test(`no Will reaches anything but the attacker's own router, MQTT ${version}`, async (t) => {
    const { edge, router, otherId, attackerId, check } = await openStage(t);
    const topics = topicsOfOthers(otherId);
    for (const [index, topic] of topics.entries()) {
      const will = { topic, payload: Buffer.from("attack"), qos: (index % 3) as 0 | 1 | 2, retain: index % 2 === 0 };
      const attacker = await openSession(t, edge.tcp, version, attackerId, { will });
      attacker.socket.destroy();
      await eventually(() => router.of(attackerId).length === index + 1);
    }
    assert.deepEqual(
      router.of(attackerId).map(({ topic, isWill }) => [topic, isWill]),
      topics.map((topic) => [topic, true]),
    );
    await check("wills");
  });

  test(`no filter, shared or not, hears anything but the attacker's own tree, MQTT ${version}`, async (t) => {
    const { hooks, edge, router, otherId, attackerId, check } = await openStage(t);
    const attacker = await openSession(t, edge.tcp, version, attackerId);
    const others = topicsOfOthers(otherId).filter((topic) => !topic.startsWith("$share"));
    const filters = ["#", "+/#", "+", "im/#", "im/x/#", "im/xu/+/+/+/#", "$SYS/#", "parley/#", "/#", "../#", ...others];
    const shared = filters.flatMap((filter) => [`$share/g/${filter}`, `$share/im/${filter}`]);
    attacker.send({
      cmd: "subscribe",
      messageId: 1,
      subscriptions: [...filters, ...shared].map((topic) => ({ topic, qos: 1 as const })),
    });
    assert.ok(((await attacker.next()).granted as number[]).every((code) => code === 1));
    await toldOf(hooks, "on_subscribe", attackerId, 1);
    await check("before");
    // $SYS is published every second.
    const since = performance.now();
    await eventually(() => performance.now() - since > 1500);
    for (const topic of others.slice(0, 8)) if (!topic.startsWith("im/x")) await publishAsService(t, topic);
    await router.say(otherId, "secret", "secret");
    await publishAsService(t, `${treeUplinkPrefix(mountpointOf(attackerId))}own`);
    await router.say(attackerId, "end", "end");
    const got = await readUntilEnd(attacker);
    assert.ok(got.length > 0 && got.every(({ topic }) => topic === "end"), JSON.stringify(got));
  });

  test(`a device hears nothing that it publishes itself, whatever it subscribes, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const router = await startTreeRouter(t, mosquitto);
    for (const subscribeAll of [false, true]) {
      grantTrees(hooks, { subscribeAll });
      const device = await connectDevice(t, edge, { protocolVersion: version });
      await device.subscribeAsync(["#", "a/b", "+/b", "$share/g/a/b", "$x/#"], { qos: 2 });
      const clientId = device.options.clientId!;
      for (const topic of ["a/b", "$x/y"])
        for (const qos of [0, 1, 2] as const) await device.publishAsync(topic, "own", { qos, retain: qos === 1 });
      await eventually(() => router.of(clientId).length === 6);
      await router.say(clientId, "end", "end");
      await eventually(() => device.received.includes("end"));
      assert.deepEqual(new Set(device.received), new Set(["end"]));
    }
  });

  test(`client ids that look like levels and wildcards are each a tree of their own, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    grantTrees(hooks);
    const router = await startTreeRouter(t, mosquitto);
    const mark = newClientId();
    const names = [
      "a",
      "a/b",
      "a%2Fb",
      "a%252Fb",
      "+",
      "#",
      "a/#",
      "a/+",
      "..",
      "../a",
      "$share",
      "$SYS",
      "é",
      "a ",
      "A",
    ];
    const ids = names.map((name) => name + mark).concat(["+", "#", "/", "%", "$share/g/#"]);
    const devices: { clientId: string; client: RawClient }[] = [];
    for (const clientId of ids) {
      const client = await openSession(t, edge.tcp, version, clientId);
      client.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "#", qos: 1 }] });
      await client.next();
      devices.push({ clientId, client });
    }
    for (const { clientId } of devices) await router.say(clientId, "for", clientId);
    for (const { clientId, client } of devices) {
      client.send(publish("t", { payload: `from ${clientId}` }));
      await eventually(() => router.of(clientId).length === 1);
      assert.equal(router.of(clientId)[0]?.payload, `from ${clientId}`);
      await router.say(clientId, "end", "end");
      const got = await readUntilEnd(client);
      assert.deepEqual(
        got.map(({ payload }) => payload),
        [clientId, "end"],
      );
    }
  });
}

test("no Topic Alias leads outside: neither one that is set there nor one that another device set", async (t) => {
  const { edge, router, otherId, attackerId, check } = await openStage(t);
  const attacker = await openSession(t, edge.tcp, 5, attackerId);
  const aliased = (topic: string, topicAlias: number, rest: Partial<IPublishPacket> = {}) =>
    attacker.send(publish(topic, { properties: { topicAlias }, ...rest }));
  aliased(`${mountpointOf(otherId)}t`, 1);
  aliased("", 1, { messageId: 2 });
  aliased("im/dn/alice/m", 2, { qos: 0 });
  aliased("", 2, { qos: 0 });
  aliased("own", 1, { messageId: 3 });
  aliased("", 1, { messageId: 4 });
  await eventually(() => router.of(attackerId).length === 6);
  const { topic: inOther } = { topic: `${mountpointOf(otherId)}t` };
  assert.deepEqual(
    router.of(attackerId).map(({ topic, packet }) => [topic, packet.properties?.topicAlias]),
    [inOther, inOther, "im/dn/alice/m", "im/dn/alice/m", "own", "own"].map((topic) => [topic, undefined]),
  );
  aliased("", 3, { messageId: 5 });
  const said = await attacker.closed();
  assert.deepEqual(said.at(-1)?.cmd, "disconnect");
  await check("aliases");
});

test("a Response Topic reaches the router as it was written, and nothing is sent there", async (t) => {
  const { edge, router, otherId, attackerId, check } = await openStage(t);
  const attacker = await openSession(t, edge.tcp, 5, attackerId);
  const topics = topicsOfOthers(otherId);
  for (const [index, responseTopic] of topics.entries())
    attacker.send(
      publish("ask", { messageId: index + 1, properties: { responseTopic, correlationData: Buffer.from("1") } }),
    );
  await eventually(() => router.of(attackerId).length === topics.length);
  assert.deepEqual(
    router.of(attackerId).map(({ packet }) => packet.properties?.responseTopic),
    topics,
  );
  await check("response topics");
});

for (const version of versions)
  test(`what a session kept from before it had a tree stays away from its device, and blocks nothing, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const router = await startTreeRouter(t, mosquitto);
    const clientId = newClientId();
    const kept = version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {};
    const native = await openSession(t, edge.tcp, version, clientId, { ...kept, clean: false });
    native.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "before/+", qos: 2 }] });
    await native.next();
    native.socket.destroy();
    await toldOf(hooks, "on_client_offline", clientId, 1);
    for (const qos of [0, 1, 2] as const) await publishAsService(t, "before/1", qos);
    grantTrees(hooks);
    const device = await openSession(t, edge.tcp, version, clientId, { ...kept, clean: false });
    for (const qos of [0, 1, 2] as const) await publishAsService(t, "before/2", qos);
    device.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "#", qos: 1 }] });
    assert.equal((await device.next()).cmd, "suback");
    await router.say(clientId, "end", "end");
    const got = await readUntilEnd(device);
    assert.deepEqual(
      got.map(({ topic }) => topic),
      ["end"],
    );
  });

async function publishAsService(t: TestContext, topic: string, qos: 0 | 1 | 2 = 1): Promise<void> {
  const login = { username: "parley", password: mosquitto.password, reconnectPeriod: 0 };
  const service = await mqtt.connectAsync(mosquitto.url, login, false);
  t.after(() => service.end(true));
  await service.publishAsync(topic, "secret", { qos });
  await service.endAsync();
}

/** The PUBLISHes up to one on topic `end`, each confirmed. */
async function readUntilEnd(client: RawClient): Promise<{ topic: string; payload: string }[]> {
  const got: { topic: string; payload: string }[] = [];
  for (;;) {
    const packet = await client.next();
    if (packet.cmd !== "publish") continue;
    const { topic, payload, qos, messageId } = packet as unknown as IPublishPacket;
    if (qos === 1) client.send({ cmd: "puback", messageId: messageId! });
    got.push({ topic, payload: String(payload) });
    if (topic === "end") return got;
  }
}
