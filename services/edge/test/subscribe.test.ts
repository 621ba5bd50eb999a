// What a device may subscribe: each filter by itself, one SUBACK for all.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually, startServers } from "@parley/testkit";
import type { ISubscription } from "mqtt-packet";
import { subscribe } from "./packets.ts";
import { encode, openSession, type RawClient } from "./raw-client.ts";
import { type Body, connectDevice, deny, newClientId, ok, startBoth } from "./surroundings.ts";

const { mosquitto } = await startServers({ after }, { mosquitto: true });
const versions = [4, 5] as const;

/** Refuses what begins with "no", in the way VerneMQ obeys. */
function refuseSome(version: 4 | 5, body: Body) {
  const no = version === 5 ? 135 : 128;
  const topics = body.topics.map((one: Body) => ({ ...one, qos: one.topic.startsWith("no") ? no : one.qos }));
  return { body: version === 5 ? { result: "ok", modifiers: { topics } } : { result: "ok", topics } };
}

test("a SUBSCRIBE is asked as VerneMQ asks it: its topics in reverse order, in both versions", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  const clientId = newClientId();
  const old = await openSession(t, edge.tcp, 4, clientId);
  old.send(subscribe(1, { topic: "n/#", qos: 1 }, { topic: "o", qos: 0 }));
  await old.next();
  const topics = [
    { topic: "o", qos: 0 },
    { topic: "n/#", qos: 1 },
  ];
  assert.deepEqual(hooks.of("auth_on_subscribe"), [{ username: "alice", mountpoint: "", client_id: clientId, topics }]);
  const recent = await openSession(t, edge.tcp, 5, newClientId());
  recent.send(subscribe(1, { topic: "n/#", qos: 1, nl: true, rap: false, rh: 2 }));
  await recent.next();
  assert.deepEqual(hooks.of("auth_on_subscribe_m5")[0]?.topics, [
    { topic: "n/#", qos: 1, no_local: true, rap: false, retain_handling: "dont_send" },
  ]);
  assert.deepEqual(hooks.of("auth_on_subscribe_m5")[0]?.properties, {});
});

for (const version of versions) {
  const no = version === 5 ? 135 : 128;
  const shared = version === 5 ? 0x9e : 128;
  const hook = version === 5 ? "auth_on_subscribe_m5" : "auth_on_subscribe";

  test(`refused filters get their own code in their own place, the others work, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    hooks.answer((name, body) => (name === hook ? refuseSome(version, body) : ok));
    const client = await openSession(t, edge.tcp, version, newClientId());
    const filters: ISubscription[] = ["no/1", "yes/1", "$share/g/yes/2", "yes/2", "no/2"].map((topic, index) => ({
      topic,
      qos: (index % 3) as 0 | 1 | 2,
    }));
    client.send(subscribe(3, ...filters));
    const suback = await client.next();
    assert.deepEqual([suback.cmd, suback.messageId, suback.granted], ["suback", 3, [no, 1, shared, 0, no]]);
    const writer = await connectDevice(t, edge);
    for (const topic of ["no/1", "no/2", "yes/2", "yes/1"]) await writer.publishAsync(topic, "x", { qos: 1 });
    assert.equal((await client.next()).topic, "yes/2");
    assert.equal((await client.next()).topic, "yes/1");
  });

  test(`where all is refused the edge answers itself, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    hooks.answer((name) => (name === hook ? deny : ok));
    const client = await openSession(t, edge.tcp, version, newClientId());
    client.send(subscribe(9, { topic: "a", qos: 1 }, { topic: "b", qos: 0 }));
    const suback = await client.next();
    assert.deepEqual([suback.cmd, suback.messageId, suback.granted], ["suback", 9, [no, no]]);
    // The same id again, now allowed: the broker's own SUBACK.
    hooks.answer(() => ok);
    client.send(subscribe(9, { topic: "a", qos: 1 }, { topic: "b", qos: 0 }));
    assert.deepEqual((await client.next()).granted, [1, 0]);
  });

  test(`a misplaced wildcard is refused by its reason, the filters beside it are granted, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const client = await openSession(t, edge.tcp, version, newClientId());
    const wrong = ["a/#/b", "a+", "a#", "#/a", "+a/b", ""];
    const filters = [...wrong, "a/+/b/#", "#", "+"];
    client.send(subscribe(1, ...filters.map((topic) => ({ topic, qos: 1 as const }))));
    const invalid = version === 5 ? 0x8f : 0x80;
    assert.deepEqual((await client.next()).granted, [...wrong.map(() => invalid), 1, 1, 1]);
    assert.deepEqual(hooks.of(hook)[0]?.topics.length, 3);
  });

  test(`$share is refused without asking anybody, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const client = await openSession(t, edge.tcp, version, newClientId());
    client.send(subscribe(1, { topic: "$share/g/a", qos: 1 }));
    assert.deepEqual((await client.next()).granted, [shared]);
    assert.deepEqual(hooks.of(hook), []);
  });

  test(`two SUBSCRIBEs under way, each with a refusal, keep their own codes, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    hooks.answer((name, body) => (name === hook ? refuseSome(version, body) : ok));
    const client = await openSession(t, edge.tcp, version, newClientId());
    const one = encode(subscribe(1, { topic: "no", qos: 0 }, { topic: "yes", qos: 1 }), version);
    const two = encode(
      subscribe(2, { topic: "yes", qos: 2 }, { topic: "no", qos: 0 }, { topic: "more", qos: 0 }),
      version,
    );
    client.send(Buffer.concat([one, two]));
    const subacks = [await client.next(), await client.next()];
    assert.deepEqual(
      subacks.map(({ messageId, granted }) => [messageId, granted]),
      [
        [1, [no, 1]],
        [2, [2, no, 0]],
      ],
    );
  });

  test(`an answer that names no topics as it should refuses every filter and the connection goes on, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const client = await openSession(t, edge.tcp, version, newClientId());
    hooks.answer((name) => (name === hook ? { body: { result: "ok", modifiers: { topics: 1 } } } : ok));
    client.send(subscribe(1, { topic: "a", qos: 1 }));
    assert.deepEqual((await client.next()).granted, [no]);
  });

  test(`a filter that the answer leaves out, renames or gives a lower QoS is not more than that, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const topics = [
      { topic: "lower", qos: 0 },
      { topic: "renamed/to", qos: 1 },
    ];
    hooks.answer((name) => (name === hook ? { body: { result: "ok", topics, modifiers: { topics } } } : ok));
    const client = await openSession(t, edge.tcp, version, newClientId());
    client.send(subscribe(1, { topic: "left/out", qos: 1 }, { topic: "lower", qos: 2 }, { topic: "renamed", qos: 1 }));
    assert.deepEqual((await client.next()).granted, [no, 0, no]);
  });

  test(`a SUBSCRIBE that is no sound packet closes its connection, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const properties = version === 5 ? [0] : [];
    const wrong: [string, number[], number][] = [
      ["wrong flags", [0x80, 6 + properties.length, 0, 1, ...properties, 0, 1, 0x61, 0], 0x81],
      ["no filter", [0x82, 2 + properties.length, 0, 1, ...properties], 0x82],
      ["QoS 3", [0x82, 6 + properties.length, 0, 1, ...properties, 0, 1, 0x61, 3], 0x81],
      ["packet id 0", [0x82, 6 + properties.length, 0, 0, ...properties, 0, 1, 0x61, 0], 0x82],
      ["a filter longer than the packet", [0x82, 6 + properties.length, 0, 1, ...properties, 0, 9, 0x61, 0], 0x81],
      ["UNSUBSCRIBE with wrong flags", [0xa0, 5 + properties.length, 0, 1, ...properties, 0, 1, 0x61], 0x81],
    ];
    for (const [what, bytes, code] of wrong) {
      const client = await openSession(t, edge.tcp, version, newClientId());
      client.send(bytes);
      const said = (await client.closed()) as { reasonCode?: number }[];
      assert.deepEqual(
        said.map(({ reasonCode }) => reasonCode),
        version === 5 ? [code] : [],
        what,
      );
    }
    assert.deepEqual(hooks.of(hook), []);
  });

  test(`a filter with characters that a broker closes for is refused by its reason, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const client = await openSession(t, edge.tcp, version, newClientId());
    client.send(subscribe(1, { topic: "a\u0001", qos: 1 }, { topic: "a", qos: 1 }));
    assert.deepEqual((await client.next()).granted, [version === 5 ? 0x8f : 0x80, 1]);
    assert.equal(hooks.of(hook)[0]?.topics.length, 1);
    client.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: ["a\u0001", "a"] });
    const unsuback = await client.next();
    assert.deepEqual([unsuback.cmd, unsuback.messageId], ["unsuback", 2]);
    if (version === 5) assert.deepEqual(unsuback.granted, [0x8f, 0]);
  });

  test(`UNSUBSCRIBE ends what SUBSCRIBE began, MQTT ${version}`, async (t) => {
    const { edge } = await startBoth(t, mosquitto);
    const client = await connectDevice(t, edge, { protocolVersion: version });
    await client.subscribeAsync(["one", "two"], { qos: 1 });
    await client.unsubscribeAsync("one");
    await client.publishAsync("one", "1", { qos: 1 });
    await client.publishAsync("two", "2", { qos: 1 });
    await eventually(() => client.received.length > 0);
    assert.deepEqual(client.received, ["2"]);
  });
}

for (const version of versions)
  test(`of 1,001 filters in one SUBSCRIBE all are refused, nobody is asked, and the connection goes on, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const client = await openSession(t, edge.tcp, version, newClientId());
    const filters = Array.from({ length: 1001 }, (_, index) => ({ topic: `many/${index}`, qos: 1 as const }));
    client.send(subscribe(7, ...filters));
    const suback = await client.next();
    const refused = version === 5 ? 0x97 : 0x80;
    assert.deepEqual([suback.messageId, suback.granted], [7, filters.map(() => refused)]);
    assert.deepEqual([...hooks.of("auth_on_subscribe"), ...hooks.of("auth_on_subscribe_m5")], []);
    const writer = await connectDevice(t, edge);
    await writer.publishAsync("many/0", "x", { qos: 1 });
    client.send(subscribe(8, ...filters.slice(1)));
    assert.deepEqual((await client.next()).granted, Array(1000).fill(1));
    await writer.publishAsync("many/1", "x", { qos: 1 });
    assert.equal((await client.next()).topic, "many/1");
  });

const many = (count: number, name: string) => Array.from({ length: count }, (_, index) => `${name}/${index}`);

for (const version of versions) {
  const no = version === 5 ? 0x97 : 0x80;

  test(`a SUBSCRIBE larger than a packet may be is answered filter by filter and the connection goes on, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_RATE_PACKETS: "100000" });
    const client = await openSession(t, edge.tcp, version, newClientId());
    const few = many(10, "x".repeat(20_000));
    const most = many(20_000, "a/filter");
    for (const [messageId, topics] of [
      [1, few],
      [2, most],
    ] as const) {
      const properties = version === 5 ? { properties: { subscriptionIdentifier: 9, userProperties: { a: "b" } } } : {};
      const filters = topics.map((topic) => ({ topic, qos: 1 as const }));
      client.send({ ...subscribe(messageId, ...filters), ...properties });
      const suback = await client.next();
      assert.deepEqual([suback.cmd, suback.messageId, suback.granted], ["suback", messageId, topics.map(() => no)]);
      const words = (suback.properties as { reasonString?: string } | undefined)?.reasonString;
      if (version === 5) assert.match(String(words), messageId === 1 ? /131072 bytes/ : /1,000 filters/);
    }
    client.send(subscribe(3, { topic: "few", qos: 1 }));
    assert.deepEqual((await client.next()).granted, [1]);
    assert.equal(hooks.asked.filter(({ hook }) => hook.startsWith("auth_on_subscribe")).length, 1);
  });

  test(`an UNSUBSCRIBE of any number of filters ends each subscription, MQTT ${version}`, async (t) => {
    const { edge } = await startBoth(t, mosquitto, { EDGE_RATE_PACKETS: "100000" });
    const client = await openSession(t, edge.tcp, version, newClientId());
    const writer = await connectDevice(t, edge);
    // MQTT 3.1.1 has no word for no: also of one larger than a packet may be.
    const sizes = version === 4 ? [1001, 5000, 20_000] : [1001, 5000];
    for (const [index, size] of sizes.entries()) {
      const topics = many(size, `many${index}`);
      const ends = [topics[0]!, topics[size / 2 - 1] ?? topics[1]!, topics.at(-1)!];
      client.send(subscribe(1, ...[...ends, "kept"].map((topic) => ({ topic, qos: 1 as const }))));
      assert.deepEqual((await client.next()).granted, [1, 1, 1, 1]);
      client.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: topics });
      const unsuback = await client.next();
      assert.deepEqual([unsuback.cmd, unsuback.messageId], ["unsuback", 2]);
      if (version === 5)
        assert.deepEqual(
          unsuback.granted,
          topics.map((topic) => (ends.includes(topic) ? 0 : 0x11)),
        );
      for (const topic of [...ends, "kept"]) await writer.publishAsync(topic, "x", { qos: 1 });
      const { topic, messageId } = await client.next();
      assert.equal(topic, "kept");
      client.send({ cmd: "puback", messageId: messageId as number });
      // Every UNSUBACK of a part was kept back: the next answer is that of the next question.
      client.send({ cmd: "pingreq" });
      assert.equal((await client.next()).cmd, "pingresp");
    }
  });

  test(`an UNSUBSCRIBE of what nobody can have subscribed is answered and ends what else it names, MQTT ${version}`, async (t) => {
    const { edge } = await startBoth(t, mosquitto);
    const client = await openSession(t, edge.tcp, version, newClientId());
    client.send(subscribe(1, { topic: "a", qos: 1 }, { topic: "b", qos: 1 }));
    await client.next();
    const deep = "x/".repeat(300);
    client.send({
      cmd: "unsubscribe",
      messageId: 2,
      unsubscriptions: ["a/#/b", "a", "$share/g/a", deep, "$share", "c"],
    });
    const some = await client.next();
    client.send({ cmd: "unsubscribe", messageId: 3, unsubscriptions: ["#a", "$share"] });
    const nothing = await client.next();
    assert.deepEqual([some.cmd, some.messageId, nothing.cmd, nothing.messageId], ["unsuback", 2, "unsuback", 3]);
    if (version === 5)
      assert.deepEqual(
        [some.granted, nothing.granted],
        [
          [0x8f, 0, 0x11, 0x11, 0x11, 0x11],
          [0x8f, 0x11],
        ],
      );
    const writer = await connectDevice(t, edge);
    for (const topic of ["a", "b"]) await writer.publishAsync(topic, "x", { qos: 1 });
    assert.equal((await client.next()).topic, "b");
  });

  test(`filters that are no text are answered before their connection is closed, MQTT ${version}`, async (t) => {
    const { edge } = await startBoth(t, mosquitto);
    const invalid = version === 5 ? 0x8f : 0x80;
    const topics = ["good", "bad!"];
    const wrong = [
      encode(subscribe(4, ...topics.map((topic) => ({ topic, qos: 1 as const }))), version),
      encode({ cmd: "unsubscribe", messageId: 4, unsubscriptions: topics }, version),
    ];
    for (const [index, bytes] of wrong.entries()) {
      bytes[bytes.indexOf("!")] = 0xff;
      const client = await openSession(t, edge.tcp, version, newClientId());
      client.send(bytes);
      const [answer, disconnect] = (await client.closed()) as unknown as Record<string, unknown>[];
      assert.deepEqual([answer?.cmd, answer?.messageId], [index === 0 ? "suback" : "unsuback", 4]);
      if (index === 0) assert.deepEqual(answer?.granted, [invalid, invalid]);
      else if (version === 5) assert.deepEqual(answer?.granted, [0x83, 0x83]);
      assert.equal(disconnect?.reasonCode, version === 5 ? 0x81 : undefined);
    }
  });
}

test("MQTT 5 is told in words why a filter is refused, if it wants to know", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  hooks.answer((name, body) => (name === "auth_on_subscribe_m5" ? refuseSome(5, body) : ok));
  const wordsOf = async (client: RawClient, ...topics: string[]) => {
    client.send(subscribe(1, ...topics.map((topic) => ({ topic, qos: 0 as const }))));
    return String(((await client.next()).properties as { reasonString?: string } | undefined)?.reasonString);
  };
  const clientId = newClientId();
  const client = await openSession(t, edge.tcp, 5, clientId);
  assert.match(await wordsOf(client, "$share/g/a"), /shared/);
  assert.match(await wordsOf(client, "a/#/b"), /wildcard/);
  assert.match(await wordsOf(client, "yes", "no"), new RegExp(`im/dn/alice/m, .*im/dn/alice/d/${clientId}`));
  assert.equal(await wordsOf(client, "yes"), "undefined");
  const properties = { requestProblemInformation: false };
  assert.equal(await wordsOf(await openSession(t, edge.tcp, 5, newClientId(), { properties }), "no"), "undefined");
});
