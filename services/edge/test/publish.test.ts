// What a device may publish: forwarded as it came, refused in its version's words, in order.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ingestPartition } from "@parley/protocol/partition";
import { eventually, startServers } from "@parley/testkit";
import mqttPacket, { type IPublishPacket } from "mqtt-packet";
import { publish } from "./packets.ts";
import { encode, openSession, type RawClient, type Version } from "./raw-client.ts";
import { cached, connectDevice, deny, newClientId, ok, startBoth } from "./surroundings.ts";

const { mosquitto } = await startServers({ after }, { mosquitto: true });
const versions = [4, 5] as const;

test("a publish is asked as VerneMQ asks it, in both versions", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  const old = await openSession(t, edge.tcp, 4, newClientId());
  old.send(publish("n/1", { payload: "hello", qos: 1, messageId: 1 }));
  await old.next();
  const { client_id: oldId, ...asked } = hooks.of("auth_on_publish")[0]!;
  const expected = { username: "alice", mountpoint: "", qos: 1, topic: "n/1", payload: "aGVsbG8=", retain: false };
  assert.deepEqual(asked, expected);
  const properties = {
    responseTopic: "r/1",
    correlationData: Buffer.from("a"),
    contentType: "application/json",
    messageExpiryInterval: 60,
    userProperties: { k: ["v", "w"] },
  };
  const recent = await openSession(t, edge.tcp, 5, newClientId());
  recent.send(publish("n/1", { payload: "hello", qos: 1, messageId: 1, properties }));
  await recent.next();
  const { client_id: recentId, ...askedToo } = hooks.of("auth_on_publish_m5")[0]!;
  assert.notEqual(oldId, recentId);
  assert.deepEqual(askedToo, {
    ...expected,
    properties: {
      p_response_topic: "r/1",
      p_correlation_data: "YQ==",
      p_content_type: "application/json",
      p_message_expiry_interval: 60,
      p_user_property: [
        { key: "aw==", val: "dg==" },
        { key: "aw==", val: "dw==" },
      ],
    },
  });
});

for (const transport of ["tcp", "ws"] as const) {
  for (const version of versions) {
    test(`publishes of every QoS arrive once and in order, MQTT ${version} over ${transport}`, async (t) => {
      const { hooks, edge } = await startBoth(t, mosquitto);
      hooks.answer(() => cached(60, ok));
      const topic = `every/${transport}/${version}`;
      const reader = await connectDevice(t, edge, { transport, protocolVersion: version });
      await reader.subscribeAsync(topic, { qos: 2 });
      const writer = await connectDevice(t, edge, { transport, protocolVersion: version });
      const sent = Array.from({ length: 300 }, (_, index) => String(index));
      await Promise.all(
        sent.map((payload, index) => writer.publishAsync(topic, payload, { qos: (index % 3) as 0 | 1 | 2 })),
      );
      await eventually(() => reader.received.length >= sent.length);
      for (const qos of [0, 1, 2]) {
        const ofOne = (all: string[]) => all.filter((payload) => Number(payload) % 3 === qos);
        assert.deepEqual(ofOne(reader.received), ofOne(sent));
      }
    });
  }
}

for (const version of versions) {
  test(`while one publish is asked, those behind it wait their turn, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const reader = await connectDevice(t, edge);
    await reader.subscribeAsync(`order/${version}/#`, { qos: 1 });
    hooks.answer(async (hook, body) => {
      if (!hook.startsWith("auth_on_publish")) return ok;
      if (body.topic.endsWith("/slow")) await new Promise((resolve) => setTimeout(resolve, 30));
      return body.topic.endsWith("/slow") ? ok : cached(60, ok);
    });
    const writer = await openSession(t, edge.tcp, version, newClientId());
    const sent = Array.from({ length: 40 }, (_, index) => String(index));
    const packets = sent.map((payload, index) => {
      const topic = `order/${version}/${index % 4 === 0 ? "slow" : "quick"}`;
      return encode(publish(topic, { payload, qos: 1, messageId: index + 1 }), version);
    });
    writer.send(Buffer.concat(packets.slice(0, 20)));
    for (const packet of packets.slice(20)) writer.send(packet);
    await eventually(() => reader.received.length === sent.length);
    assert.deepEqual(reader.received, sent);
  });

  test(`an inactive device gets nothing ephemeral and all else, until it is active again, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    hooks.answer(() => cached(60, ok));
    const device = await connectDevice(t, edge, { protocolVersion: version });
    const uid = `user${version}`;
    const [ephemeral, messages] = [`im/dn/${uid}/e`, `im/dn/${uid}/m`];
    await device.subscribeAsync([ephemeral, messages], { qos: 1 });
    const writer = await connectDevice(t, edge, { protocolVersion: version });
    const say = (state: string) => device.publishAsync(`im/up/0/${uid}/${uid}:phone/state`, state, { qos: 1 });
    const sent = async (...payloads: string[]) => {
      for (const payload of payloads)
        await writer.publishAsync(payload.startsWith("e") ? ephemeral : messages, payload, { qos: 0 });
      // Behind all of them.
      await writer.publishAsync(messages, "last", { qos: 1 });
      await eventually(() => device.received.at(-1) === "last");
      return device.received.splice(0).slice(0, -1);
    };
    assert.deepEqual(await sent("e1", "m1"), ["e1", "m1"]);
    await say('{"active":false}');
    assert.deepEqual(await sent("e2", "m2", "e3"), ["m2"]);
    // Nothing of this says that it is active again.
    for (const other of ["{", "null", '{"active":"yes"}', '{"show":"dnd"}']) await say(other);
    assert.deepEqual(await sent("e4"), []);
    await say('{"active":true}');
    assert.deepEqual(await sent("e5", "m5"), ["e5", "m5"]);
  });

  test(`a refused QoS 0 publish is dropped, and the connection goes on, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    hooks.answer((hook, body) => (hook.startsWith("auth_on_publish") && body.topic === "no" ? deny : ok));
    const reader = await connectDevice(t, edge);
    await reader.subscribeAsync(["no", `yes/${version}`]);
    const writer = await openSession(t, edge.tcp, version, newClientId());
    writer.send(publish("no", { payload: "no" }));
    writer.send(publish(`yes/${version}`, { payload: "yes" }));
    await eventually(() => reader.received.length > 0);
    assert.deepEqual(reader.received, ["yes"]);
  });

  test(`a publish that is no sound packet ends its own connection and nobody else's, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const bystander = await openSession(t, edge.tcp, version, newClientId());
    const wrong: [string, Buffer, number][] = [
      ["QoS 3", Buffer.from([0x36, 5, 0, 1, 0x61, 0, 1]), 0x81],
      ["DUP with QoS 0", Buffer.from([0x38, 4, 0, 1, 0x61, 0]), 0x81],
      ["packet id 0", Buffer.from([0x32, 6, 0, 1, 0x61, 0, 0, 0]), 0x82],
      ["a topic longer than the packet", Buffer.from([0x30, 3, 0, 9, 0x61]), 0x81],
      ["no topic", Buffer.from([0x30, 3, 0, 0, 0]), 0x82],
      ["a wildcard in the topic", encode(publish("a/b"), version).fill("#", 6, 7), 0x90],
      ["U+0000 in the topic", encode(publish("a/b"), version).fill(0, 6, 7), 0x81],
      ["a topic that is no UTF-8", encode(publish("a/b"), version).fill(0xff, 6, 7), 0x81],
      ["a PINGREQ larger than allowed", Buffer.from([0xc0, 0xff, 0xff, 0x7f]), 0x95],
      [
        "a second CONNECT",
        encode(
          {
            cmd: "connect",
            clientId: "alice",
            protocolId: "MQTT",
            protocolVersion: version,
            keepalive: 0,
            clean: true,
          },
          version,
        ),
        0x82,
      ],
      ["a packet of the server's", Buffer.from([0xd0, 0]), 0x81],
      ["reserved flags", Buffer.from([0xc1, 0]), 0x81],
      ["type 0", Buffer.from([0x00, 0]), 0x81],
      ["a length of five bytes", Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 1]), 0x81],
    ];
    for (const [what, bytes, code] of wrong) {
      const client = await openSession(t, edge.tcp, version, newClientId());
      client.send(bytes);
      const said = await client.closed();
      assert.deepEqual(
        said.map((packet) => [packet.cmd, "reasonCode" in packet && packet.reasonCode]),
        version === 5 ? [["disconnect", code]] : [],
        what,
      );
    }
    assert.deepEqual(hooks.of("auth_on_publish"), []);
    bystander.send({ cmd: "pingreq" });
    assert.equal((await bystander.next()).cmd, "pingresp");
  });

  test(`the hook may send a publish to another topic, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const topic = `moved/${version}/a/longer/topic`;
    const moved = { body: { result: "ok", modifiers: { topic, retain: false } } };
    hooks.answer((hook) => (hook.startsWith("auth_on_publish") ? cached(60, moved) : ok));
    const reader = await connectDevice(t, edge);
    await reader.subscribeAsync("moved/#", { qos: 1 });
    const writer = await openSession(t, edge.tcp, version, newClientId());
    for (const messageId of [1, 2]) {
      writer.send(publish("short", { payload: "p", qos: 1, messageId }));
      const puback = await writer.next();
      assert.deepEqual([puback.cmd, puback.messageId], ["puback", messageId]);
    }
    await eventually(() => reader.received.length === 2);
  });

  test(`a modifier that the edge cannot obey is a refusal, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const answers = [{ payload: "eA==" }, { topic: "a/#" }, { topic: 7 }, { retain: true }, "none"];
    const reader = await connectDevice(t, edge);
    await reader.subscribeAsync("a/#");
    const writer = await openSession(t, edge.tcp, version, newClientId());
    for (const modifiers of answers) {
      hooks.answer((hook) => (hook.startsWith("auth_on_publish") ? { body: { result: "ok", modifiers } } : ok));
      writer.send(publish("a/b", { payload: "changed" }));
      await eventually(() => hooks.asked.at(-1)?.hook.startsWith("auth_on_publish"));
    }
    await eventually(
      () => hooks.asked.filter(({ hook }) => hook.startsWith("auth_on_publish")).length === answers.length,
    );
    hooks.answer(() => ok);
    writer.send(publish("a/b", { payload: "allowed" }));
    await eventually(() => reader.received.length > 0);
    assert.deepEqual(reader.received, ["allowed"]);
  });
}

/** What the edge tells a device on its own topic. */
async function nackOf(client: RawClient, clientId: string) {
  const packet = await client.next();
  assert.equal(packet.topic, `im/dn/alice/d/${clientId}`);
  assert.equal(packet.qos, 0);
  return JSON.parse(String(packet.payload));
}

for (const version of versions) {
  const code = version === 5 ? 0x87 : undefined;

  test(`a refused publish is answered and nacked, and the connection goes on, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    hooks.answer((hook, body) => (hook.startsWith("auth_on_publish") && body.topic !== "yes" ? deny : ok));
    const reader = await connectDevice(t, edge);
    await reader.subscribeAsync(["no", "yes"], { qos: 2 });
    const clientId = newClientId();
    const writer = await openSession(t, edge.tcp, version, clientId);
    writer.send(publish("no", { payload: '{"content":{"id":"x"},"id":"m1"}', qos: 1, messageId: 7 }));
    const puback = await writer.next();
    assert.deepEqual([puback.cmd, puback.messageId, puback.reasonCode], ["puback", 7, code]);
    const right = `im/up/${ingestPartition(clientId)}/alice/${clientId}/msg`;
    const { message, ...nack } = await nackOf(writer, clientId);
    assert.deepEqual(nack, { type: "nack", id: "m1", code: "forbidden", details: { topic: right } });
    assert.match(message, new RegExp(right));
    writer.send(publish("no", { payload: '{"id":"m2","content":tea}' }));
    assert.equal((await nackOf(writer, clientId)).id, "m2");
    if (version === 5) assert.equal((puback.properties as { reasonString?: string }).reasonString, message);
    // The same packet ids are free again, and later packets go on.
    writer.send(publish("yes", { payload: "1", qos: 1, messageId: 7 }));
    const accepted = await writer.next();
    assert.deepEqual([accepted.cmd, accepted.messageId, accepted.reasonCode ?? 0], ["puback", 7, 0]);
    writer.send(publish("yes", { payload: "2", qos: 2, messageId: 8 }));
    assert.equal((await writer.next()).cmd, "pubrec");
    writer.send({ cmd: "pubrel", messageId: 8 });
    assert.equal((await writer.next()).cmd, "pubcomp");
    await eventually(() => reader.received.length === 2);
    assert.deepEqual(reader.received, ["1", "2"]);
  });

  test(`the exchange of a refused QoS 2 publish ends without the broker, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    hooks.answer((hook, body) => (hook.startsWith("auth_on_publish") && body.topic === "no" ? deny : ok));
    const clientId = newClientId();
    const writer = await openSession(t, edge.tcp, version, clientId);
    for (const id of ["first", "again"]) {
      writer.send(publish("no", { payload: JSON.stringify({ id }), qos: 2, messageId: 8 }));
      const pubrec = await writer.next();
      assert.deepEqual([pubrec.cmd, pubrec.messageId, pubrec.reasonCode], ["pubrec", 8, code]);
      assert.equal((await nackOf(writer, clientId)).id, id);
      // MQTT 5 ends it with the refusing PUBREC.
      if (version === 5) continue;
      writer.send({ cmd: "pubrel", messageId: 8 });
      const pubcomp = await writer.next();
      assert.deepEqual([pubcomp.cmd, pubcomp.messageId], ["pubcomp", 8]);
    }
    writer.send(publish("yes", { qos: 2, messageId: 8 }));
    assert.equal((await writer.next()).cmd, "pubrec");
    writer.send({ cmd: "pubrel", messageId: 8 });
    assert.equal((await writer.next()).cmd, "pubcomp");
  });

  test(`a client that sends a refused publish on every connection again is rid of it, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    hooks.answer((hook, body) => (hook.startsWith("auth_on_publish") && body.topic === "no" ? deny : ok));
    const reader = await connectDevice(t, edge);
    await reader.subscribeAsync("yes", { qos: 1 });
    const device = await connectDevice(t, edge, { protocolVersion: version, reconnectPeriod: 10 });
    const refused = device.publishAsync("no", "1", { qos: 1 }).catch((error: Error) => error.message);
    const large = device.publishAsync("yes", "x".repeat(300_000), { qos: 1 }).catch((error: Error) => error.message);
    const wild = device.publishAsync("a/#", "3", { qos: 1 }).catch((error: Error) => error.message);
    await Promise.all([refused, large, wild]);
    await device.publishAsync("yes", "4", { qos: 1 });
    await eventually(() => reader.received.length > 0);
    assert.deepEqual(reader.received, ["4"]);
  });

  test(`a publish that is too large is passed over, answered and nacked, in its place, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_MAX_PACKET_BYTES: "5000" });
    hooks.answer(() => cached(60, ok));
    const reader = await connectDevice(t, edge);
    await reader.subscribeAsync("t", { qos: 1 });
    const clientId = newClientId();
    const writer = await openSession(t, edge.tcp, version, clientId);
    const large = (qos: 0 | 1 | 2, id: string) =>
      publish("t", { payload: JSON.stringify({ id, content: "x".repeat(400_000) }), qos, messageId: 2 });
    writer.send(
      Buffer.concat(
        [publish("t", { payload: "1", qos: 1, messageId: 1 }), large(1, "m2"), large(0, "m3"), large(2, "m4")].map(
          (packet) => encode(packet, version),
        ),
      ),
    );
    const heard: string[] = [];
    for (let count = 0; count < 6; count++) {
      const packet = await writer.next();
      const isNack = packet.cmd === "publish";
      const nack = isNack ? JSON.parse(String(packet.payload)) : undefined;
      if (isNack) assert.deepEqual([nack.code, nack.details.maxBytes], ["too_large", 5000]);
      heard.push(isNack ? `nack ${nack.id}` : `${packet.cmd} ${packet.messageId} ${packet.reasonCode ?? 0}`);
    }
    const quota = version === 5 ? 0x97 : 0;
    const own = [`puback 2 ${quota}`, "nack m2", "nack m3", `pubrec 2 ${quota}`, "nack m4"];
    assert.deepEqual(
      heard.filter((one) => one !== "puback 1 0"),
      own,
    );
    writer.send(publish("t", { payload: "2", qos: 1, messageId: 5 }));
    assert.equal((await writer.next()).messageId, 5);
    await eventually(() => reader.received.length === 2);
    assert.deepEqual(reader.received, ["1", "2"]);
  });

  for (const topicBytes of [1000, 1024, 1030, 5000, 65_535])
    test(`a publish that is too large is answered also behind a topic of ${topicBytes} bytes, MQTT ${version}`, async (t) => {
      const { edge } = await startBoth(t, mosquitto, { EDGE_MAX_PACKET_BYTES: "2000" });
      const clientId = newClientId();
      const writer = await openSession(t, edge.tcp, version, clientId);
      const topic = "t".repeat(topicBytes);
      const payload = JSON.stringify({ id: "m7", content: "x".repeat(100_000) });
      const bytes = encode(publish(topic, { payload, qos: 1, messageId: 7 }), version);
      for (let at = 0; at < bytes.length; at += 1500) writer.send(bytes.subarray(at, at + 1500));
      const puback = await writer.next();
      assert.deepEqual(
        [puback.cmd, puback.messageId, puback.reasonCode],
        ["puback", 7, version === 5 ? 0x97 : undefined],
      );
      const nack = await nackOf(writer, clientId);
      assert.deepEqual([nack.id, nack.code], ["m7", "too_large"]);
      writer.send({ cmd: "pingreq" });
      assert.equal((await writer.next()).cmd, "pingresp");
    });

  test(`a publish that MQTT closes for is answered first, MQTT ${version}`, async (t) => {
    const { edge } = await startBoth(t, mosquitto);
    const cases: [Buffer, number, number][] = [
      [encode(publish("a/b", { qos: 1, messageId: 3 }), version).fill("#", 6, 7), 0x90, 0x90],
      [encode(publish("a/b", { qos: 1, messageId: 3 }), version).fill(0xff, 6, 7), 0x80, 0x81],
    ];
    for (const [bytes, puback, disconnect] of cases) {
      const client = await openSession(t, edge.tcp, version, newClientId());
      client.send(bytes);
      const said = (await client.closed()) as { cmd: string; reasonCode?: number; messageId?: number }[];
      const codes = said.filter(({ cmd }) => cmd !== "publish").map(({ cmd, reasonCode }) => [cmd, reasonCode]);
      assert.equal(said[0]?.messageId, 3);
      assert.deepEqual(
        codes,
        version === 5
          ? [
              ["puback", puback],
              ["disconnect", disconnect],
            ]
          : [["puback", undefined]],
      );
    }
  });

  test(`a request that is refused is answered as a request, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_MAX_PACKET_BYTES: "2000" });
    hooks.answer(() => ok);
    const clientId = newClientId();
    const client = await openSession(t, edge.tcp, version, clientId);
    const topic = `im/up/0/alice/${clientId}/rpc`;
    client.send(publish(topic, { payload: JSON.stringify({ id: 7, method: "x", params: "y".repeat(3000) }) }));
    const { id, error, ...others } = await nackOf(client, clientId);
    assert.deepEqual([id, error.code, others], [7, "too_large", {}]);
  });
}

test("who floods with refused publishes has each answered, and few of them nacked", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  hooks.answer((hook) => (hook === "auth_on_publish" ? cached(60, deny) : ok));
  const writer = await openSession(t, edge.tcp, 4, newClientId());
  const count = 2000;
  for (let messageId = 1; messageId <= count; messageId++) writer.send(publish("no", { qos: 1, messageId }));
  let pubacks = 0;
  let nacks = 0;
  while (pubacks < count) {
    if ((await writer.next()).cmd === "puback") pubacks += 1;
    else nacks += 1;
  }
  assert.ok(nacks >= 20 && nacks < 200, `${nacks} nacks`);
});

test("words about refusals are only for who wants them", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  hooks.answer((hook) => (hook === "auth_on_publish_m5" ? deny : ok));
  const properties = { requestProblemInformation: false };
  const writer = await openSession(t, edge.tcp, 5, newClientId(), { properties });
  writer.send(publish("no", { qos: 1, messageId: 7 }));
  const puback = await writer.next();
  assert.deepEqual([puback.reasonCode, puback.properties], [0x87, undefined]);
});

test("a publish over its sender's rate is told so, and may be sent again", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  hooks.answer((hook) => (hook === "auth_on_publish_m5" ? { body: { result: { error: "quota_exceeded" } } } : ok));
  const clientId = newClientId();
  const writer = await openSession(t, edge.tcp, 5, clientId);
  writer.send(publish("t", { payload: '{"id":"m"}', qos: 1, messageId: 7 }));
  assert.equal((await writer.next()).reasonCode, 0x97);
  assert.equal((await nackOf(writer, clientId)).code, "rate_limited");
});

test("a retained publish is refused in words in MQTT 5, and loses its flag in 3.1.1", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  const clientId = newClientId();
  const recent = await openSession(t, edge.tcp, 5, clientId);
  recent.send(publish("kept", { payload: '{"id":"5"}', qos: 1, messageId: 1, retain: true }));
  const puback = await recent.next();
  assert.equal(puback.reasonCode, 0x83);
  assert.match((puback.properties as { reasonString: string }).reasonString, /retain/);
  const nack = await nackOf(recent, clientId);
  assert.deepEqual([nack.id, nack.code], ["5", "forbidden"]);
  const old = await openSession(t, edge.tcp, 4, newClientId());
  old.send(publish("kept", { payload: "4", qos: 1, messageId: 1, retain: true }));
  await old.next();
  assert.equal(hooks.of("auth_on_publish")[0]?.retain, false);
  const late = await connectDevice(t, edge);
  await late.subscribeAsync("kept");
  await late.publishAsync("kept", "live", { qos: 1 });
  await eventually(() => late.received.length > 0);
  assert.deepEqual(late.received, ["live"]);
});

test("a Topic Alias stands for the topic it was last given, also where the broker has not seen it", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  hooks.answer((hook, body) => {
    if (hook !== "auth_on_publish_m5") return ok;
    return cached(60, body.topic === "alias/no" ? deny : ok);
  });
  const reader = await connectDevice(t, edge);
  const got: string[] = [];
  reader.on("message", (topic, payload, { properties }) => got.push(`${topic} ${payload} ${properties?.contentType}`));
  await reader.subscribeAsync("alias/#", { qos: 1 });
  const writer = await openSession(t, edge.tcp, 5, newClientId());
  const send = async (topic: string, topicAlias: number, payload: string) => {
    const properties = { contentType: "c", topicAlias };
    writer.send(publish(topic, { payload, qos: 1, messageId: 1, properties }));
    for (;;) {
      const packet = await writer.next();
      if (packet.cmd === "puback") return packet.reasonCode ?? 0;
    }
  };
  assert.equal(await send("alias/ü", 1, "1"), 0);
  assert.equal(await send("", 1, "2"), 0);
  assert.equal(await send("alias/no", 2, "3"), 0x87);
  assert.equal(await send("", 2, "4"), 0x87);
  assert.equal(await send("alias/two", 1, "5"), 0);
  assert.equal(await send("", 1, "6"), 0);
  await eventually(() => got.length === 4);
  assert.deepEqual(got, ["alias/ü 1 c", "alias/ü 2 c", "alias/two 5 c", "alias/two 6 c"]);
});

test("properties that are none of a PUBLISH's, or longer than it, are malformed", async (t) => {
  const { edge } = await startBoth(t, mosquitto);
  for (const properties of [
    [2, 0x7f, 0],
    [200, 1],
    [0x80, 0x80, 0x80, 0x80],
    [3, 0x03, 0, 9],
    [4, 0x03, 0, 1, 0x01],
  ]) {
    const client = await openSession(t, edge.tcp, 5, newClientId());
    client.send([0x30, 3 + properties.length, 0, 1, 0x61, ...properties]);
    const [disconnect] = (await client.closed()) as { reasonCode?: number }[];
    assert.equal(disconnect?.reasonCode, 0x81, String(properties));
  }
});

test("an allowed publish reaches its reader byte for byte", async (t) => {
  const { edge } = await startBoth(t, mosquitto);
  const reader = await openSession(t, edge.tcp, 5, newClientId());
  reader.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "bytes", qos: 0 }] });
  await reader.next();
  const writer = await openSession(t, edge.tcp, 5, newClientId());
  const properties = {
    contentType: "x/ü",
    correlationData: Buffer.from([0, 255]),
    responseTopic: "r",
    userProperties: { a: "b" },
  };
  const payload = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
  writer.send(publish("bytes", { payload, properties }));
  const got = (await reader.next()) as unknown as IPublishPacket;
  assert.deepEqual(Buffer.from(got.payload), payload);
  assert.deepEqual({ ...got.properties, userProperties: { ...got.properties?.userProperties } }, properties);
});

const manyBytes = (version: Version): Buffer =>
  Buffer.concat(
    [1, 2, 3].map((messageId) => encode(publish("drip", { payload: "d".repeat(200), qos: 1, messageId }), version)),
  );

for (const version of versions) {
  test(`packets that drip in byte by byte are the same packets, MQTT ${version}`, async (t) => {
    const { edge } = await startBoth(t, mosquitto);
    const writer = await openSession(t, edge.tcp, version, newClientId());
    for (const byte of manyBytes(version)) {
      writer.socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const messageId of [1, 2, 3]) assert.equal((await writer.next()).messageId, messageId);
  });
}

test("a frame may be cut anywhere by WebSocket, and hold several packets", async (t) => {
  const { edge } = await startBoth(t, mosquitto);
  const socket = new WebSocket(edge.ws, "mqtt");
  socket.binaryType = "arraybuffer";
  t.after(() => socket.close());
  const parser = mqttPacket.parser({ protocolVersion: 4 });
  const got: string[] = [];
  parser.on("packet", (packet) => got.push(`${packet.cmd} ${packet.messageId ?? ""}`.trim()));
  socket.onmessage = ({ data }) => parser.parse(Buffer.from(data));
  await new Promise((resolve) => {
    socket.onopen = resolve;
  });
  assert.equal(socket.protocol, "mqtt");
  const hello = encode(
    { cmd: "connect", clientId: newClientId(), protocolId: "MQTT", protocolVersion: 4, keepalive: 0, clean: true },
    4,
  );
  const all = Buffer.concat([hello, manyBytes(4)]);
  for (const [from, to] of [
    [0, 1],
    [1, 7],
    [7, 100],
    [100, all.length],
  ])
    socket.send(all.subarray(from, to));
  await eventually(() => got.length === 4);
  assert.deepEqual(got, ["connack", "puback 1", "puback 2", "puback 3"]);
});

test("a text frame, another path or a plain request is no way in by WebSocket", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  const text = new WebSocket(edge.ws, "mqtt");
  const closed = new Promise<CloseEvent>((resolve) => {
    text.onclose = resolve;
  });
  text.onopen = () => text.send("hello");
  assert.equal((await closed).code, 1003);
  const lost = new WebSocket(edge.ws.replace("/mqtt", "/elsewhere"), "mqtt");
  await new Promise((resolve) => {
    lost.onerror = resolve;
  });
  assert.equal((await fetch(edge.ws.replace("ws:", "http:"))).status, 426);
  assert.deepEqual(hooks.asked, []);
});
