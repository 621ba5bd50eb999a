// Who may connect, and what those who may not are told.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually, startServers } from "@parley/testkit";
import { connectPacket, encode, openRaw, openSession } from "./raw-client.ts";
import {
  connectDevice,
  deny,
  type HookAnswer,
  newClientId,
  ok,
  startBoth,
  startHookServer,
  startTestEdge,
} from "./surroundings.ts";

const { mosquitto } = await startServers({ after }, { mosquitto: true });
const versions = [4, 5] as const;
const codeOf = (packet: Record<string, unknown>) => packet.reasonCode ?? packet.returnCode;

test("a CONNECT is asked as VerneMQ asks it, MQTT 3.1.1", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  const clientId = newClientId();
  const { socket } = await openSession(t, edge.tcp, 4, clientId, { clean: false });
  const [first] = hooks.asked;
  assert.equal(first?.hook, "auth_on_register");
  assert.deepEqual(first.body, {
    peer_addr: "127.0.0.1",
    peer_port: socket.localPort,
    mountpoint: "",
    client_id: clientId,
    username: "alice",
    password: "secret",
    clean_session: false,
  });
});

test("a CONNECT is asked as VerneMQ asks it, MQTT 5", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  const clientId = newClientId();
  const properties = {
    sessionExpiryInterval: 5,
    receiveMaximum: 7,
    requestResponseInformation: true,
    userProperties: { k: "v" },
  };
  const { socket } = await openSession(t, edge.tcp, 5, clientId, { properties });
  assert.equal(hooks.asked[0]?.hook, "auth_on_register_m5");
  assert.deepEqual(hooks.asked[0].body, {
    peer_addr: "127.0.0.1",
    peer_port: socket.localPort,
    mountpoint: "",
    client_id: clientId,
    username: "alice",
    password: "secret",
    clean_start: true,
    properties: {
      p_session_expiry_interval: 5,
      p_receive_max: 7,
      p_request_response_info: true,
      p_user_property: [{ key: "aw==", val: "dg==" }],
    },
  });
});

test("a missing user name and password are asked as null", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  const client = await openRaw(t, edge.tcp, 4);
  const { username: _, password: __, ...anonymous } = connectPacket(4, newClientId());
  client.send(anonymous);
  assert.equal(codeOf(await client.next()), 0);
  assert.equal(hooks.asked[0]?.body.username, null);
  assert.equal(hooks.asked[0]?.body.password, null);
});

for (const version of versions) {
  const refusals: [string, HookAnswer, Record<4 | 5, number> | undefined][] = [
    ["a refusal", deny, { 4: 5, 5: 0x86 }],
    [
      "a client id that is another's",
      { body: { result: { error: "client_identifier_not_valid" } } },
      { 4: 2, 5: 0x85 },
    ],
    ["no plugin that decides", { body: { result: "next" } }, { 4: 5, 5: 0x86 }],
    ["an answer that is no JSON", { body: "<html>ok</html>" }, undefined],
    ["an answer without a result", { body: { outcome: "ok" } }, undefined],
    ["a result nobody knows", { body: { result: "okay" } }, undefined],
    ["a mountpoint", { body: { result: "ok", modifiers: { mountpoint: "x/" } } }, undefined],
    ["a tree without end", { body: { result: "ok", modifiers: { mountpoint: "im/x/0/alice/alice:1" } } }, undefined],
    ["a tree of all", { body: { result: "ok", modifiers: { mountpoint: "im/x/0/+/alice:1/" } } }, undefined],
    ["a tree in a tree", { body: { result: "ok", modifiers: { mountpoint: "im/x/0/alice/alice:1/a/" } } }, undefined],
    ["a tree of uplinks", { body: { result: "ok", modifiers: { mountpoint: "im/xu/0/alice/alice:1/" } } }, undefined],
  ];
  test(`only a clear yes lets a device in, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    for (const [what, answer, codes] of refusals) {
      hooks.answer((hook) => (hook.startsWith("auth_on_register") ? answer : ok));
      const client = await openRaw(t, edge.tcp, version);
      client.send(connectPacket(version, newClientId()));
      if (codes !== undefined) assert.equal(codeOf(await client.next()), codes[version], what);
      assert.deepEqual(await client.closed(), [], what);
    }
    assert.deepEqual(hooks.of("on_client_wakeup"), []);
  });

  test(`a hook that is down or slow lets nobody in, and closes without a CONNACK, which libraries take as final, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_HOOK_TIMEOUT_MS: "500" });
    hooks.answer(() => new Promise(() => {}));
    const slow = await openRaw(t, edge.tcp, version);
    slow.send(connectPacket(version, newClientId()));
    assert.deepEqual(await slow.closed(), []);
    await hooks.stop();
    const down = await openRaw(t, edge.tcp, version);
    down.send(connectPacket(version, newClientId()));
    assert.deepEqual(await down.closed(), []);
  });

  test(`a CONNECT that comes before its hooks do waits for them and is let in, MQTT ${version}`, async (t) => {
    const later = await startHookServer(t);
    const { port } = new URL(later.url);
    await later.stop();
    const edge = await startTestEdge(t, mosquitto, later, { EDGE_CONNECT_WAIT_MS: "20000" });
    const client = await openRaw(t, edge.tcp, version);
    client.send(connectPacket(version, newClientId()));
    await eventually(async () => (await edge.metric("edge_hook_questions_total")) >= 2);
    await startHookServer(t, Number(port));
    assert.equal(codeOf(await client.next()), 0);
  });

  test(`a Will is checked like a publish, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    hooks.answer((hook, body) => (hook.startsWith("auth_on_publish") && body.topic !== "mine" ? deny : ok));
    const will = { topic: "theirs", payload: Buffer.from("gone"), qos: 1 as const, retain: false };
    const refused = await openRaw(t, edge.tcp, version);
    const clientId = newClientId();
    refused.send(connectPacket(version, clientId, { will }));
    assert.equal(codeOf(await refused.next()), version === 5 ? 0x87 : 5);
    const [asked] = hooks.of(version === 5 ? "auth_on_publish_m5" : "auth_on_publish");
    const { properties: _, ...body } = asked!;
    const expected = { username: "alice", mountpoint: "", client_id: clientId, qos: 1, topic: "theirs", retain: false };
    assert.deepEqual(body, { ...expected, payload: "Z29uZQ==" });
    await openSession(t, edge.tcp, version, newClientId(), { will: { ...will, topic: "mine" } });
  });

  test(`a Will reaches its readers when its device is lost, and not when it parts, MQTT ${version}`, async (t) => {
    const { edge } = await startBoth(t, mosquitto);
    const reader = await connectDevice(t, edge);
    await reader.subscribeAsync(`wills/${version}`);
    const will = (text: string) => ({ topic: `wills/${version}`, payload: Buffer.from(text), qos: 1 as const });
    const polite = await openSession(t, edge.tcp, version, newClientId(), { will: will("polite") });
    polite.send({ cmd: "disconnect" });
    await polite.closed();
    const lost = await openSession(t, edge.tcp, version, newClientId(), { will: will("lost") });
    lost.socket.destroy();
    await eventually(() => reader.received.length > 0);
    assert.deepEqual(reader.received, ["lost"]);
  });

  test(`protocols that the edge does not speak are told so, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const hello = encode(connectPacket(version, "alice"), version);
    const name = Buffer.from(hello);
    name.write("MQTX", 4);
    const level = Buffer.from(hello);
    level[8] = version === 5 ? 6 : 3;
    // MQTT 3.1.
    const older = Buffer.from([0x10, 15, 0, 6, ...Buffer.from("MQIsdp"), 3, 2, 0, 0, 0, 1, 0x61]);
    for (const bytes of version === 4 ? [name, level, older] : [name, level]) {
      const client = await openRaw(t, edge.tcp, version);
      client.send(bytes);
      assert.equal(codeOf(await client.next()), version === 5 ? 0x84 : 1);
      await client.closed();
    }
    assert.deepEqual(hooks.asked, []);
  });

  test(`a CONNECT larger than 16 KiB is refused in its own words, not only closed, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const client = await openRaw(t, edge.tcp, version);
    const will = { topic: "t", payload: Buffer.alloc(60_000, "x"), qos: 1 as const, retain: false };
    client.send(connectPacket(version, newClientId(), { will }));
    const [connack, ...others] = await client.closed();
    assert.deepEqual(others, []);
    assert.equal(codeOf({ ...connack }), version === 5 ? 0x95 : 5);
    const { properties } = connack as unknown as { properties?: { reasonString?: string } };
    if (version === 5) assert.match(String(properties?.reasonString), /16 KiB/);
    assert.deepEqual(hooks.asked, []);
  });

  test(`a first packet that is no sound CONNECT closes the connection, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const hello = encode(connectPacket(version, "alice"), version);
    const reserved = Buffer.from(hello);
    reserved[9]! |= 1;
    const cut = Buffer.concat([Buffer.from([0x10, hello.length - 2 - 8]), hello.subarray(2, hello.length - 8)]);
    const wrong: [string, Buffer][] = [
      ["PINGREQ", Buffer.from([0xc0, 0])],
      ["PUBLISH", encode({ cmd: "publish", topic: "t", payload: "x", qos: 0, dup: false, retain: false }, version)],
      ["flags in the first byte", Buffer.concat([Buffer.from([0x11]), hello.subarray(1)])],
      ["a length of five bytes", Buffer.from([0x10, 0x80, 0x80, 0x80, 0x80, 1])],
      ["larger than allowed", Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f])],
      ["an HTTP request", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
      ["the reserved connect flag", reserved],
      ["cut short", cut],
    ];
    for (const [what, bytes] of wrong) {
      const client = await openRaw(t, edge.tcp, version);
      client.send(bytes);
      const said = await client.closed();
      assert.ok(
        said.every((packet) => packet.cmd === "connack" && codeOf({ ...packet }) !== 0),
        what,
      );
    }
    assert.deepEqual(hooks.asked, []);
  });
}

test("MQTT 5 is told in words why it may not connect, as far as it takes them", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  const said = async (error: string, rest: Parameters<typeof connectPacket>[2] = {}) => {
    const answer = error === "" ? ok : { body: { result: { error } } };
    hooks.answer((hook) => (hook.startsWith("auth_on_register") ? answer : ok));
    const client = await openRaw(t, edge.tcp, 5);
    client.send(connectPacket(5, "somebody", rest));
    const { reasonCode, properties } = (await client.next()) as { reasonCode: number; properties?: object };
    return [reasonCode, (properties as { reasonString?: string } | undefined)?.reasonString];
  };
  const [code, words] = await said("client_identifier_not_valid");
  assert.equal(code, 0x85);
  assert.match(String(words), /alice or alice:\{device\}/);
  assert.match(String((await said("not_allowed"))[1]), /password/);
  const will = { topic: "a", payload: Buffer.from("x"), qos: 0 as const, retain: true };
  const retained = await said("", { will });
  assert.equal(retained[0], 0x9a);
  assert.match(String(retained[1]), /retain/);
  assert.match(String((await said("", { will: { ...will, retain: false, topic: "#" } }))[1]), /wildcard/);
  const small = { properties: { maximumPacketSize: 20 } };
  assert.deepEqual(await said("client_identifier_not_valid", small), [0x85, undefined]);
  const busy = { quota_exceeded: 0x97, connection_rate_exceeded: 0x9f };
  for (const [error, busyCode] of Object.entries(busy)) assert.equal((await said(error))[0], busyCode);
});

test("an empty client id gets one of its user's, and MQTT 5 is told which", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  const client = await openRaw(t, edge.tcp, 5);
  client.send(connectPacket(5, ""));
  const connack = await client.next();
  assert.equal(connack.reasonCode, 0);
  const { assignedClientIdentifier } = connack.properties as Record<string, string>;
  assert.match(assignedClientIdentifier!, /^alice:[0-9a-f]{16}$/);
  assert.equal(hooks.of("auth_on_register_m5")[0]?.client_id, assignedClientIdentifier);
  await openSession(t, edge.tcp, 4, "");
  assert.match(hooks.of("auth_on_register")[0]?.client_id, /^alice:[0-9a-f]{16}$/);
});

test("an empty client id of nobody who could be a user is a guest's", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  const { username: _, password: __, ...anonymous } = connectPacket(4, "");
  for (const hello of [
    encode(connectPacket(5, "", { username: "no uid" }), 5),
    encode(connectPacket(4, "", { username: "no/uid" }), 4),
    encode(connectPacket(4, "", { username: "" }), 4),
    encode(anonymous, 4),
  ]) {
    const client = await openRaw(t, edge.tcp, hello[8] === 5 ? 5 : 4);
    client.send(hello);
    assert.equal(codeOf(await client.next()), 0);
    const asked = hooks.asked.findLast(({ hook }) => hook.startsWith("auth_on_register"));
    assert.match(asked?.body.client_id, /^guest:[0-9a-f]{16}$/);
  }
});

test("an empty client id of a session that is to be kept is refused [MQTT-3.1.3-8]", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  const kept = encode(connectPacket(4, ""), 4);
  kept[9]! &= ~2;
  const client = await openRaw(t, edge.tcp, 4);
  client.send(kept);
  assert.equal(codeOf(await client.next()), 2);
  assert.deepEqual(hooks.asked, []);
});

test("the hook may name the device: later questions go by that name", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  const clientId = newClientId();
  hooks.answer((hook) =>
    hook === "auth_on_register" ? { body: { result: "ok", modifiers: { client_id: clientId, username: "bob" } } } : ok,
  );
  const client = await openSession(t, edge.tcp, 4, newClientId());
  client.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "t", qos: 0 }] });
  await client.next();
  const [asked] = hooks.of("auth_on_subscribe");
  assert.deepEqual([asked?.username, asked?.client_id], ["bob", clientId]);
  assert.deepEqual(hooks.of("on_client_wakeup"), [{ mountpoint: "", client_id: clientId }]);
});

test("MQTT 5 is told what the edge does not give: retain, shared subscriptions, larger packets, longer sessions", async (t) => {
  const { edge } = await startBoth(t, mosquitto, { EDGE_MAX_PACKET_BYTES: "5000", EDGE_SESSION_EXPIRY_SECONDS: "60" });
  const client = await openRaw(t, edge.tcp, 5);
  client.send(
    connectPacket(5, newClientId(), { properties: { sessionExpiryInterval: 0xffffffff, topicAliasMaximum: 9 } }),
  );
  const { properties } = (await client.next()) as { properties?: Record<string, unknown> };
  assert.equal(properties?.retainAvailable, false);
  assert.equal(properties?.sharedSubscriptionAvailable, false);
  assert.equal(properties?.topicAliasMaximum, 10);
  assert.equal(properties?.maximumPacketSize, 5000);
  assert.equal(properties?.sessionExpiryInterval, 60);
});

test("a retained Will is refused in MQTT 5 and stripped in 3.1.1", async (t) => {
  const { edge } = await startBoth(t, mosquitto);
  const will = { topic: "wills/retained", payload: Buffer.from("gone"), qos: 1 as const, retain: true };
  const refused = await openRaw(t, edge.tcp, 5);
  refused.send(connectPacket(5, newClientId(), { will }));
  assert.equal(codeOf(await refused.next()), 0x9a);
  const reader = await connectDevice(t, edge);
  await reader.subscribeAsync("wills/retained");
  const lost = await openSession(t, edge.tcp, 4, newClientId(), { will });
  lost.socket.destroy();
  await eventually(() => reader.received.length === 1);
  const late = await connectDevice(t, edge);
  await late.subscribeAsync("wills/retained");
  await late.publishAsync("wills/retained", "after", { qos: 1 });
  await eventually(() => late.received.length > 0);
  assert.deepEqual(late.received, ["after"]);
});

test("a Will whose topic has a wildcard is refused", async (t) => {
  const { edge } = await startBoth(t, mosquitto);
  const client = await openRaw(t, edge.tcp, 5);
  client.send(connectPacket(5, newClientId(), { will: { topic: "a/#", payload: Buffer.alloc(0), qos: 0 } }));
  assert.equal(codeOf(await client.next()), 0x90);
});

test("enhanced authentication is refused by its own code", async (t) => {
  const { edge } = await startBoth(t, mosquitto);
  const client = await openRaw(t, edge.tcp, 5);
  client.send(connectPacket(5, newClientId(), { properties: { authenticationMethod: "SCRAM" } }));
  assert.equal(codeOf(await client.next()), 0x8c);
});

test("a password without a user name is malformed in MQTT 3.1.1", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  const hello = encode(connectPacket(4, "alice"), 4);
  hello[9]! &= ~0x80;
  const client = await openRaw(t, edge.tcp, 4);
  client.send(hello);
  await client.closed();
  assert.deepEqual(hooks.asked, []);
});

test("a connection that never says CONNECT is closed, and one that drips it too slowly", async (t) => {
  const { edge } = await startBoth(t, mosquitto, { EDGE_CONNECT_TIMEOUT_MS: "100" });
  const silent = await openRaw(t, edge.tcp, 4);
  const dripping = await openRaw(t, edge.tcp, 4);
  dripping.send([0x10, 0x40, 0x00]);
  assert.deepEqual(await silent.closed(), []);
  assert.deepEqual(await dripping.closed(), []);
});

test("beyond the cap a device is closed without a word that would be its last, and those connected stay", async (t) => {
  const { edge } = await startBoth(t, mosquitto, { EDGE_MAX_CONNECTIONS: "1" });
  const first = await openSession(t, edge.tcp, 4, newClientId());
  for (const version of versions) {
    const client = await openRaw(t, edge.tcp, version);
    client.send(connectPacket(version, newClientId()));
    assert.deepEqual(await client.closed(), []);
  }
  first.send({ cmd: "pingreq" });
  assert.equal((await first.next()).cmd, "pingresp");
  first.socket.destroy();
  await eventually(async () => (await edge.metric("edge_connections")) === 0);
  await openSession(t, edge.tcp, 4, newClientId());
});

for (const version of versions) {
  test(`with the broker down a device is closed without a CONNACK, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, { url: "mqtt://127.0.0.1:1", password: "x" });
    const client = await openRaw(t, edge.tcp, version);
    client.send(connectPacket(version, newClientId()));
    assert.deepEqual(await client.closed(), []);
    await eventually(() => hooks.of("on_client_gone").length === 1);
    assert.deepEqual(hooks.of("on_client_wakeup"), []);
  });

  test(`a device that connects while the broker is started again waits for it and is let in, MQTT ${version}`, async (t) => {
    const { mosquitto: own } = await startServers(t, { mosquitto: true });
    const { hooks, edge } = await startBoth(t, own);
    await own.kill();
    const client = await openRaw(t, edge.tcp, version);
    client.send(connectPacket(version, newClientId()));
    await eventually(() => hooks.of("auth_on_register").length + hooks.of("auth_on_register_m5").length === 1);
    await own.start();
    assert.equal(codeOf(await client.next()), 0);
  });

  test(`a broker that refuses the services' login is no refusal of the device: it is closed without a CONNACK, MQTT ${version}`, async (t) => {
    const { edge } = await startBoth(t, { url: mosquitto.url, password: "wrong" });
    const client = await openRaw(t, edge.tcp, version);
    client.send(connectPacket(version, newClientId()));
    assert.deepEqual(await client.closed(), []);
    await eventually(() => edge.context.health.reasons().broker !== undefined);
  });
}

test("packets sent with the CONNECT, before its answer, are taken in order, even if the device is gone by then", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  const reader = await connectDevice(t, edge);
  await reader.subscribeAsync("hasty");
  hooks.answer(async (hook) => {
    if (hook === "auth_on_register") await new Promise((resolve) => setTimeout(resolve, 100));
    return ok;
  });
  const client = await openRaw(t, edge.tcp, 4);
  const publish = (payload: string) =>
    encode({ cmd: "publish", topic: "hasty", payload, qos: 0, dup: false, retain: false }, 4);
  const all = [encode(connectPacket(4, newClientId()), 4), publish("1"), publish("2"), Buffer.from([0xe0, 0])];
  client.socket.end(Buffer.concat(all));
  await eventually(() => reader.received.length === 2);
  assert.deepEqual(reader.received, ["1", "2"]);
});
