// Devices with trees of their own: what they publish and subscribe is there, and they see nothing of where it is.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { treeUplinkPrefix } from "@parley/protocol";
import { eventually, startServers } from "@parley/testkit";
import { publish, subscribe, unsubscribe, untilPong } from "./packets.ts";
import { connectPacket, encode, openRaw, openSession } from "./raw-client.ts";
import { connectDevice, fault, newClientId, startBoth } from "./surroundings.ts";
import { grantTree, grantTrees, mountpointOf, startTreeRouter, toldOf } from "./trees.ts";

const { mosquitto } = await startServers({ after }, { mosquitto: true });
const versions = [4, 5] as const;

for (const transport of ["tcp", "ws"] as const)
  for (const version of versions)
    test(`what a device with a tree publishes reaches its router alone, and what is said there reaches it on the topic it knows, MQTT ${version} over ${transport}`, async (t) => {
      const { hooks, edge } = await startBoth(t, mosquitto);
      grantTrees(hooks);
      const router = await startTreeRouter(t, mosquitto);
      const device = await connectDevice(t, edge, { transport, protocolVersion: version });
      const clientId = device.options.clientId!;
      const topics: string[] = [];
      device.on("message", (topic) => topics.push(topic));
      await device.subscribeAsync(["$IM/user/alice", "room/+/m"], { qos: 2 });
      for (const qos of [0, 1, 2] as const) await device.publishAsync(`room/${qos}/m`, `up ${qos}`, { qos });
      await eventually(() => router.of(clientId).length === 3);
      assert.deepEqual(
        router.of(clientId).map(({ topic, payload, packet }) => [topic, payload, packet.qos]),
        [
          ["room/0/m", "up 0", 1],
          ["room/1/m", "up 1", 1],
          ["room/2/m", "up 2", 2],
        ],
      );
      for (const qos of [0, 1, 2] as const) await router.say(clientId, `room/${qos}/m`, `down ${qos}`, { qos });
      await router.say(clientId, "$IM/user/alice", "last", { qos: 2 });
      await eventually(() => device.received.includes("last"));
      // Nothing of its own, each once. QoS 2 takes longer.
      assert.deepEqual(device.received, ["down 0", "down 1", "down 2", "last"]);
      assert.deepEqual(topics, ["room/0/m", "room/1/m", "room/2/m", "$IM/user/alice"]);
      assert.deepEqual(
        hooks.asked.filter(({ hook }) => /^auth_on_(publish|subscribe)/.test(hook)),
        [],
      );
    });

for (const version of versions) {
  test(`a flood of publishes at every QoS reaches the router once each and in order, and no answer of the edge's own exchanges the device, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_RATE_PACKETS: "100000" });
    grantTrees(hooks);
    const router = await startTreeRouter(t, mosquitto);
    const clientId = newClientId();
    const client = await openSession(t, edge.tcp, version, clientId);
    const count = 900;
    // Ids that the edge would take for its own, from the highest on.
    for (let index = 0; index < count; index++) {
      const qos = (index % 3) as 0 | 1 | 2;
      client.send(publish("t", { payload: String(index), qos, ...(qos > 0 && { messageId: 65_535 - index }) }));
    }
    const answers: Record<string, number[]> = { puback: [], pubrec: [], pubcomp: [] };
    while (answers.pubcomp!.length < count / 3) {
      const { cmd, messageId } = (await client.next()) as { cmd: string; messageId: number };
      answers[cmd]!.push(messageId);
      if (cmd === "pubrec") client.send({ cmd: "pubrel", messageId });
    }
    await eventually(() => router.of(clientId).length === count);
    const ids = (qos: number) =>
      Array.from({ length: count }, (_, index) => index)
        .filter((index) => index % 3 === qos)
        .map((index) => 65_535 - index);
    assert.deepEqual([answers.puback, answers.pubrec, answers.pubcomp], [ids(1), ids(2), ids(2)]);
    const payloads = router.of(clientId).map(({ payload }) => Number(payload));
    for (const isTwo of [true, false]) {
      const ofKind = payloads.filter((index) => (index % 3 === 2) === isTwo);
      assert.deepEqual(
        ofKind,
        ofKind.toSorted((a, b) => a - b),
      );
    }
  });

  test(`the retain flag is taken off without a word, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    grantTrees(hooks);
    const router = await startTreeRouter(t, mosquitto);
    const will = { topic: "gone", payload: Buffer.from("bye"), qos: 0 as const, retain: true };
    const clientId = newClientId();
    const client = await openSession(t, edge.tcp, version, clientId, { will });
    client.send(publish("a/profile", { retain: true, qos: 1, messageId: 1 }));
    client.send(publish("b/profile", { retain: true }));
    assert.equal((await client.next()).cmd, "puback");
    client.socket.destroy();
    await eventually(() => router.of(clientId).length === 3);
    assert.deepEqual(
      router.of(clientId).map(({ topic, packet, isWill }) => [topic, packet.qos, packet.retain, isWill]),
      [
        ["a/profile", 1, false, false],
        ["b/profile", 1, false, false],
        ["gone", 1, false, true],
      ],
    );
  });

  test(`filters are granted below the mountpoint as they were asked, a misplaced wildcard is refused by its reason, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    grantTrees(hooks);
    const router = await startTreeRouter(t, mosquitto);
    const clientId = newClientId();
    const client = await openSession(t, edge.tcp, version, clientId);
    const invalid = version === 5 ? 0x8f : 0x80;
    const filters = ["a/+", "b#", "$share/g/c/#", "$share/g", "$share/+/x", "$share//x", "$SYS/#", "", "/d", "e/"];
    client.send(subscribe(1, ...filters.map((topic, index) => ({ topic, qos: (index % 3) as 0 | 1 | 2 }))));
    const suback = await client.next();
    const codes = [0, invalid, 2, invalid, invalid, invalid, 0, invalid, 2, 0];
    assert.deepEqual([suback.messageId, suback.granted], [1, codes]);
    const [told] = await toldOf(hooks, "on_subscribe", clientId, 1);
    assert.deepEqual(told, {
      username: "alice",
      mountpoint: mountpointOf(clientId),
      client_id: clientId,
      topics: [
        { topic: "a/+", qos: 0 },
        { topic: "$share/g/c/#", qos: 2 },
        { topic: "$SYS/#", qos: 0 },
        { topic: "/d", qos: 2 },
        { topic: "e/", qos: 0 },
      ],
    });
    for (const topic of ["a/1", "b", "c/1/2", "$SYS/x", "/d", "e/", "d"]) await router.say(clientId, topic, "x");
    const got = await untilPong(client);
    assert.deepEqual(
      got.map(({ topic }) => topic),
      ["a/1", "c/1/2", "$SYS/x", "/d", "e/"],
    );
    client.send(unsubscribe(2, "a/+", "b#", "never"));
    const unsuback = await client.next();
    assert.equal(unsuback.messageId, 2);
    if (version === 5) assert.deepEqual(unsuback.granted, [0, 0x8f, 0x11]);
    const [ended] = await toldOf(hooks, "on_unsubscribe", clientId, 1);
    assert.deepEqual(ended, {
      username: "alice",
      mountpoint: mountpointOf(clientId),
      client_id: clientId,
      topics: ["a/+"],
    });
    for (const topic of ["a/1", "$SYS/x"]) await router.say(clientId, topic, "x");
    assert.deepEqual(
      (await untilPong(client)).map(({ topic }) => topic),
      ["$SYS/x"],
    );
  });
}

for (const version of versions) {
  test(`a device whose tree is subscribed for it gets all that is said there, each once, whatever it subscribes itself, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    grantTrees(hooks, { subscribeAll: true });
    const router = await startTreeRouter(t, mosquitto);
    const clientId = newClientId();
    const client = await openSession(t, edge.tcp, version, clientId);
    assert.deepEqual((await toldOf(hooks, "on_subscribe", clientId, 1))[0]?.topics, [{ topic: "#", qos: 1 }]);
    client.send(subscribe(1, { topic: "#", qos: 2 }, { topic: "a/+", qos: 1 }, { topic: "b+", qos: 1 }));
    const suback = await client.next();
    assert.deepEqual([suback.cmd, suback.messageId, suback.granted], ["suback", 1, [1, 1, version === 5 ? 0x8f : 128]]);
    assert.deepEqual((await toldOf(hooks, "on_subscribe", clientId, 2))[1]?.topics, [{ topic: "a/+", qos: 1 }]);
    client.send(publish("a/1", { qos: 1, messageId: 2 }));
    assert.equal((await client.next()).cmd, "puback");
    for (const topic of ["a/1", "$IM/user/alice", "im/dn/alice/m"]) await router.say(clientId, topic, "x");
    const topicsOf = async () => (await untilPong(client)).map(({ topic }) => topic);
    assert.deepEqual(await topicsOf(), ["a/1", "$IM/user/alice", "im/dn/alice/m"]);
    client.send(unsubscribe(3, "#", "a/+", "c"));
    const unsuback = await client.next();
    assert.deepEqual([unsuback.cmd, unsuback.messageId], ["unsuback", 3]);
    if (version === 5) assert.deepEqual(unsuback.granted, [0, 0, 0x11]);
    assert.deepEqual((await toldOf(hooks, "on_unsubscribe", clientId, 1))[0]?.topics, ["a/+"]);
    await router.say(clientId, "a/1", "x");
    assert.deepEqual(await topicsOf(), ["a/1"]);
  });

  test(`what is subscribed for a device is there before its first packet, and told after its connection, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    grantTrees(hooks, { subscribeAll: true });
    const router = await startTreeRouter(t, mosquitto);
    for (let round = 0; round < 20; round++) {
      const clientId = newClientId();
      const client = await openRaw(t, edge.tcp, version);
      const first = encode(publish("hello", { qos: 1, messageId: 1 }), version);
      client.send(Buffer.concat([encode(connectPacket(version, clientId), version), first]));
      await eventually(() => router.of(clientId).length === 1);
      await router.say(clientId, "welcome", "x");
      const packets = [await client.next(), await client.next(), await client.next()];
      assert.deepEqual(packets.map(({ cmd }) => cmd).toSorted(), ["connack", "puback", "publish"]);
      await toldOf(hooks, "on_subscribe", clientId, 1);
      const told = hooks.asked.filter(({ hook, body }) => hook.startsWith("on_") && body.client_id === clientId);
      assert.deepEqual(
        told.map(({ hook }) => hook),
        ["on_client_wakeup", "on_subscribe"],
      );
      assert.ok(told.every(({ connection }) => connection === told[0]?.connection && connection));
    }
  });

  test(`a device hears that it has subscribed when a hook knows it, and every event is told in its order when hooks are back, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_HOOK_TIMEOUT_MS: "500" });
    let isAway = false;
    hooks.answer((hook, body) => {
      if (hook.startsWith("auth_on_register")) return grantTree(body);
      return isAway ? fault : undefined;
    });
    const clientId = newClientId();
    const kept = version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {};
    const client = await openSession(t, edge.tcp, version, clientId, { ...kept, clean: false });
    await toldOf(hooks, "on_client_wakeup", clientId, 1);
    isAway = true;
    hooks.asked.length = 0;
    client.send(subscribe(1, { topic: "a", qos: 1 }));
    await toldOf(hooks, "on_subscribe", clientId, 2);
    client.send(subscribe(2, { topic: "b", qos: 0 }));
    client.send(unsubscribe(3, "a"));
    client.send(subscribe(4, { topic: "c", qos: 0 }));
    assert.deepEqual(await untilPong(client), []);
    client.socket.destroy();
    hooks.asked.length = 0;
    isAway = false;
    await toldOf(hooks, "on_client_offline", clientId, 1);
    const told = hooks.asked.filter(({ hook, body }) => hook.startsWith("on_") && body.client_id === clientId);
    assert.deepEqual(
      told.map(({ hook, body }) => [hook, body.topics]),
      [
        ["on_subscribe", [{ topic: "a", qos: 1 }]],
        [
          "on_subscribe",
          [
            { topic: "b", qos: 0 },
            { topic: "c", qos: 0 },
          ],
        ],
        ["on_unsubscribe", ["a"]],
        ["on_client_offline", undefined],
      ],
    );
  });

  test(`a device whose filters no hook takes for too long is closed, so that it subscribes again, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_DECISION_WAIT_MS: "300" });
    hooks.answer((hook, body) => {
      if (hook.startsWith("auth_on_register")) return grantTree(body);
      return hook === "on_subscribe" ? fault : undefined;
    });
    const client = await openSession(t, edge.tcp, version, newClientId());
    client.send(subscribe(1, { topic: "a", qos: 1 }));
    assert.deepEqual(await client.closed(), []);
  });

  test(`a session that is resumed has its filters and what waited in it, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    grantTrees(hooks, { filters: ["a/#", "$share/g/s"] });
    const router = await startTreeRouter(t, mosquitto);
    const clientId = newClientId();
    const kept = version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {};
    const client = await openSession(t, edge.tcp, version, clientId, { ...kept, clean: false });
    client.send(subscribe(1, { topic: "a/#", qos: 1 }, { topic: "$share/g/s", qos: 1 }));
    await client.next();
    client.socket.destroy();
    await toldOf(hooks, "on_client_offline", clientId, 1);
    await router.say(clientId, "a/1", "while away");
    await router.say(clientId, "s", "shared");
    const back = await openRaw(t, edge.tcp, version);
    back.send(connectPacket(version, clientId, { ...kept, clean: false }));
    assert.equal((await back.next()).sessionPresent, true);
    assert.deepEqual(
      (await untilPong(back)).map(({ topic }) => topic),
      ["a/1", "s"],
    );
    await router.say(clientId, "a/2", "now");
    assert.deepEqual(
      (await untilPong(back)).map(({ topic }) => topic),
      ["a/2"],
    );
    back.send(unsubscribe(2, "a/#"));
    await back.next();
    assert.deepEqual((await toldOf(hooks, "on_unsubscribe", clientId, 1))[0]?.topics, ["a/#"]);
  });

  test(`the 1,001st filter of a device is refused, one that it has and one after another has gone are not, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_RATE_PACKETS: "100000" });
    const remembered = Array.from({ length: 500 }, (_, index) => `before/${index}`);
    grantTrees(hooks, { filters: remembered });
    const clientId = newClientId();
    const kept = version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {};
    (await openSession(t, edge.tcp, version, clientId, { ...kept, clean: false })).socket.destroy();
    await toldOf(hooks, "on_client_offline", clientId, 1);
    const client = await openSession(t, edge.tcp, version, clientId, { ...kept, clean: false });
    const filters = Array.from({ length: 501 }, (_, index) => ({ topic: `f/${index}`, qos: 1 as const }));
    const quota = version === 5 ? 0x97 : 128;
    client.send(subscribe(1, ...filters));
    assert.deepEqual((await client.next()).granted, [...Array(500).fill(1), quota]);
    client.send(subscribe(2, { topic: "one/more", qos: 1 }, { topic: "f/0", qos: 0 }, { topic: "before/1", qos: 0 }));
    assert.deepEqual((await client.next()).granted, [quota, 0, 0]);
    client.send(unsubscribe(3, "f/1"));
    await client.next();
    client.send(subscribe(4, { topic: "one/more", qos: 1 }));
    assert.deepEqual((await client.next()).granted, [1]);
  });
}

test("a device with a tree takes a packet by its size as it gets it", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  grantTrees(hooks, { subscribeAll: true });
  const router = await startTreeRouter(t, mosquitto);
  const clientId = newClientId();
  const properties = { maximumPacketSize: 200 };
  const client = await openSession(t, edge.tcp, 5, clientId, { properties });
  // Fixed header 3, topic 3, packet id 2, no properties 1.
  await router.say(clientId, "t", "x".repeat(191));
  await router.say(clientId, "t", "y".repeat(192));
  await router.say(clientId, "im/dn/alice/m", JSON.stringify({ conv: "c", seq: 7, text: "y".repeat(192) }));
  await router.say(clientId, "t", "last");
  const got = await untilPong(client);
  assert.deepEqual(
    got.map(({ payload }) => String(payload)),
    ["x".repeat(191), '{"type":"too_large","conv":"c","seq":7,"bytes":243}', "last"],
  );
  for (const { messageId } of got) client.send({ cmd: "puback", messageId: messageId as number });
  assert.deepEqual(await untilPong(client), []);
});

for (const version of versions) {
  test(`filters that a session had before end when all is subscribed for its device, so that nothing comes twice, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    grantTrees(hooks);
    const router = await startTreeRouter(t, mosquitto);
    const clientId = newClientId();
    const kept = version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {};
    const before = await openSession(t, edge.tcp, version, clientId, { ...kept, clean: false });
    before.send(subscribe(1, { topic: "a/+", qos: 2 }, { topic: "$share/g/a/1", qos: 1 }));
    await before.next();
    before.socket.destroy();
    await toldOf(hooks, "on_client_offline", clientId, 1);
    grantTrees(hooks, { subscribeAll: true, filters: ["a/+", "$share/g/a/1"] });
    const client = await openSession(t, edge.tcp, version, clientId, { ...kept, clean: false });
    assert.deepEqual(await untilPong(client), []);
    await router.say(clientId, "a/1", "x");
    assert.deepEqual(
      (await untilPong(client)).map(({ cmd, topic }) => [cmd, topic]),
      [["publish", "a/1"]],
    );
  });

  test(`an UNSUBSCRIBE larger than a packet may be ends what the device has, or says that it does not, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_RATE_PACKETS: "100000" });
    for (const subscribeAll of [false, true]) {
      grantTrees(hooks, { subscribeAll });
      const router = await startTreeRouter(t, mosquitto);
      const clientId = newClientId();
      const client = await openSession(t, edge.tcp, version, clientId);
      client.send(subscribe(1, { topic: "a/1", qos: 1 }, { topic: "b/1", qos: 1 }));
      await client.next();
      const many = Array.from({ length: 20_000 }, (_, index) => `nobody/has/${index}`);
      client.send(unsubscribe(2, ...many, "a/1"));
      const answer = await client.next();
      assert.deepEqual([answer.cmd, answer.messageId], ["unsuback", 2]);
      if (version === 5) assert.ok((answer.granted as number[]).every((code) => code === 0x83));
      else assert.deepEqual((await toldOf(hooks, "on_unsubscribe", clientId, 1))[0]?.topics, ["a/1"]);
      for (const topic of ["a/1", "b/1"]) await router.say(clientId, topic, "x");
      assert.deepEqual(
        (await untilPong(client)).map(({ topic }) => topic),
        version === 5 || subscribeAll ? ["a/1", "b/1"] : ["b/1"],
      );
    }
  });

  test(`many filters are unsubscribed at once, and others' packets go between, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_RATE_PACKETS: "100000" });
    grantTrees(hooks);
    const clientId = newClientId();
    const client = await openSession(t, edge.tcp, version, clientId);
    client.send(subscribe(1, { topic: "a/1", qos: 1 }));
    await client.next();
    const many = Array.from({ length: 5000 }, (_, index) => `no/${index}`);
    client.send(unsubscribe(2, ...many, "a/1"));
    const answer = await client.next();
    if (version === 5) assert.deepEqual(answer.granted, [...many.map(() => 0x11), 0]);
    assert.deepEqual((await toldOf(hooks, "on_unsubscribe", clientId, 1))[0]?.topics, ["a/1"]);
  });

  test(`characters that the broker would close for are refused, and the connection goes on, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    grantTrees(hooks);
    const router = await startTreeRouter(t, mosquitto);
    const clientId = newClientId();
    const client = await openSession(t, edge.tcp, version, clientId);
    const wrong = ["a\u0001", "a\tb", "\u007f", "\u0085", "\ufffe", "\ufdd0", "\u{10ffff}"];
    const fine = ["\ufeff", "é", "\u{1f600}", " "];
    for (const [index, topic] of [...wrong, ...fine].entries())
      client.send(publish(topic, { qos: 1, messageId: index + 1 }));
    for (const topic of wrong) client.send(publish(topic));
    const answers = await untilPong(client);
    const refused = answers.filter(({ reasonCode }) => Number(reasonCode) >= 0x80).map(({ messageId }) => messageId);
    assert.equal(answers.length, wrong.length + fine.length);
    if (version === 5)
      assert.deepEqual(
        refused,
        wrong.map((_, index) => index + 1),
      );
    await eventually(() => router.of(clientId).length >= fine.length);
    assert.deepEqual(
      router.of(clientId).map(({ topic }) => topic),
      fine,
    );
    client.send(subscribe(50, ...[...wrong, ...fine].map((topic) => ({ topic, qos: 1 as const }))));
    const no = version === 5 ? 0x8f : 128;
    assert.deepEqual((await client.next()).granted, [...wrong.map(() => no), ...fine.map(() => 1)]);
    client.send(unsubscribe(51, ...wrong));
    assert.equal((await client.next()).cmd, "unsuback");
    const will = { topic: "a\u0001", payload: Buffer.from("x"), qos: 0 as const, retain: false };
    for (const [id, rest] of [
      ["a\u0001", {}],
      [newClientId(), { will }],
    ] as const) {
      const other = await openRaw(t, edge.tcp, version);
      other.send(connectPacket(version, id, rest));
      const said = await other.closed();
      if (version === 5 || id === "a\u0001") assert.equal(said[0]?.cmd, "connack", "a word that it is no use");
    }
  });

  test(`a topic that would be too long or too deep below the tree is refused, and the connection goes on, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    grantTrees(hooks);
    const router = await startTreeRouter(t, mosquitto);
    const clientId = newClientId();
    const client = await openSession(t, edge.tcp, version, clientId);
    const prefix = treeUplinkPrefix(mountpointOf(clientId)).length;
    const [deepest, longest] = ["/".repeat(194), "x".repeat(65_535 - prefix)];
    client.send(publish(deepest, { qos: 1, messageId: 1 }));
    client.send(publish(longest, { qos: 1, messageId: 2 }));
    for (const [index, topic] of [`${deepest}/`, `${longest}x`].entries()) {
      client.send(publish(topic, { qos: 1, messageId: 3 + index }));
      client.send(publish(topic, { qos: 0 }));
    }
    const answers = [await client.next(), await client.next(), await client.next(), await client.next()];
    const no = version === 5 ? 0x90 : undefined;
    const codes = answers.map(({ messageId, reasonCode }) => [messageId, reasonCode || undefined]);
    assert.deepEqual(codes.toSorted(), [
      [1, undefined],
      [2, undefined],
      [3, no],
      [4, no],
    ]);
    client.send(subscribe(5, { topic: `${deepest}/`, qos: 1 }, { topic: deepest, qos: 1 }));
    assert.deepEqual((await client.next()).granted, [version === 5 ? 0x8f : 128, 1]);
    assert.deepEqual(
      router.of(clientId).map(({ topic }) => topic),
      [deepest, longest],
    );
    const will = { topic: `${deepest}/`, payload: Buffer.from("x"), qos: 0 as const, retain: false };
    await assert.rejects(openSession(t, edge.tcp, version, newClientId(), { will }), /refused|said nothing/);
  });
}
