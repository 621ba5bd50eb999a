// Every bad packet of a stock client gets a clear error and costs nobody else anything: others chat all the while.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { callHttp, type Session } from "@parley/client";
import { roomsCreate } from "@parley/protocol";
import { eventually, startTestCluster, type TestContext } from "@parley/testkit";
import { connectAsync, type IClientOptions } from "mqtt";
import { type Chatting, chatBySdk, chatByStock } from "./chatting.ts";
import { logIn } from "./mosquitto.ts";
import { registerAll } from "./people.ts";
import { openRaw, openRawSession } from "./raw-device.ts";
import { openStock, type Stock } from "./stock.ts";

const cluster = await startTestCluster({ after });
await registerAll(cluster, "mallory", "victim", "owner");
const owner = await logIn(cluster, "owner", "web");
const room = await callHttp(cluster.run().http, roomsCreate, { name: "Closed" }, { token: owner.token });
const victim = await logIn(cluster, "victim", "phone");
const url = `mqtt://${owner.mqtt.host}:${owner.mqtt.port}`;
const others: Chatting[] = [await chatBySdk({ after }, cluster, "anna", "bert")];
others.push(await chatByStock({ after }, cluster, "carl", "dora"));

let devices = 0;
function newSession(): Promise<Session> {
  devices += 1;
  return logIn(cluster, "mallory", `d${devices}`);
}

async function mallory(t: TestContext, options: IClientOptions = {}): Promise<Stock> {
  return openStock(t, await newSession(), options);
}

/** Nobody else noticed. */
async function othersChat(): Promise<void> {
  for (const chat of others) await chat.goesOn();
}

const text = { type: "text", data: "x" };
type Verb = keyof Session["topics"]["publish"];
type BadPacket = [what: string, verb: Verb, payload: string | Buffer, code: string, says: RegExp];
const json = JSON.stringify;

const packets: BadPacket[] = [
  ["JSON that breaks off", "msg", '{"id":"1","to":', "invalid_packet", /JSON/],
  ["bytes that are no UTF-8", "msg", Buffer.from([0x7b, 0xc3, 0x28, 0x7d]), "invalid_packet", /UTF-8/],
  ["nothing at all", "msg", "", "invalid_packet", /JSON/],
  [
    "more than 64 KiB",
    "msg",
    json({ id: "1", to: "user/victim", content: { ...text, data: "x".repeat(66_000) } }),
    "too_large",
    /./,
  ],
  [
    "a receiver that does not exist",
    "msg",
    json({ id: "1", to: "user/nobody", content: text }),
    "not_found",
    /nobody|user/,
  ],
  ["a room of others", "msg", json({ id: "1", to: `room/${room.id}`, content: text }), "not_found", /there is no room/],
  ["a method that does not exist", "rpc", json({ id: "1", method: "rooms.destroy" }), "not_found", /rooms\.destroy/],
  [
    "a parameter that does not exist",
    "rpc",
    json({ id: "1", method: "sync", params: { cursor: {} } }),
    "invalid_packet",
    /cursor/,
  ],
  [
    "a parameter of a wrong type",
    "rpc",
    json({ id: "1", method: "history.get", params: { conv: 7 } }),
    "invalid_packet",
    /conv/,
  ],
  ["a request without a method", "rpc", json({ id: "1" }), "invalid_packet", /method/],
  [
    "history of others",
    "rpc",
    json({ id: "1", method: "history.get", params: { conv: room.conv } }),
    "not_found",
    /there is no room/,
  ],
  ["a receipt with an unknown field", "receipt", json({ id: "1", conv: room.conv, raed: 3 }), "invalid_packet", /raed/],
  [
    "a receipt of others' conversation",
    "receipt",
    json({ id: "1", conv: room.conv, read: 1 }),
    "not_found",
    /there is no room/,
  ],
  ["a receipt that is not JSON", "receipt", "read 3", "invalid_packet", /JSON/],
  [
    "typing in an unknown way",
    "typing",
    json({ conv: "p2p/mallory/victim", state: "dancing" }),
    "invalid_packet",
    /state/,
  ],
  ["typing in a room of others", "typing", json({ conv: room.conv, state: "composing" }), "not_member", /./],
  ["a device state that does not exist", "state", json({ show: "sleeping" }), "invalid_packet", /show/],
];

for (const version of [4, 5] as const)
  test(`every bad packet is answered with its code and what is wrong (MQTT ${version === 4 ? "3.1.1" : "5"})`, async (t) => {
    const device = await mallory(t, { protocolVersion: version });
    for (const [what, verb, payload, code, says] of packets) {
      const answer = await device.ask(device.session.topics.publish[verb], payload, verb === "typing" ? 0 : 1);
      const error = (answer.error ?? answer) as { code?: string; message?: string };
      assert.equal(error.code, code, `${what}: ${json(answer)}`);
      assert.match(error.message ?? "", says, what);
    }
    const wrong = device.session.topics.publish.msg.replace(/^im\/up\/./, (right) =>
      right.endsWith("0") ? "im/up/1" : "im/up/0",
    );
    const nack = await device.ask(wrong, json({ id: "w", to: "user/victim", content: text }));
    assert.deepEqual([nack.code, nack.id], ["wrong_partition", "w"]);
    assert.ok(`${nack.message}`.includes(device.session.topics.publish.msg));
    assert.equal((await device.send({ id: `good${version}`, to: "user/victim", content: text })).seq, version - 3);
    await othersChat();
  });

test("a publish to somebody else's topic reaches nobody, its sender is told the right one and goes on", async (t) => {
  const bystander = await openStock(t, victim);
  const foreign = [
    victim.topics.publish.msg,
    "im/dn/victim/m",
    "im/dn/victim/d/victim:phone",
    "im/up/0/mallory",
    "else/where",
    "$SYS/x",
  ];
  const five = await mallory(t, { protocolVersion: 5 });
  for (const topic of foreign)
    await assert.rejects(
      five.client.publishAsync(topic, json({ id: "f", to: "user/owner", content: text }), { qos: 1 }),
      { code: 0x87 },
      topic,
    );
  assert.ok(five.client.connected);
  const three = await mallory(t);
  const right = three.session.topics.publish.msg;
  for (const topic of foreign) {
    const nack = await three.ask(topic, json({ id: topic, to: "user/owner", content: text }));
    const expected = { type: "nack", id: topic, code: "forbidden", details: { topic: right } };
    assert.deepEqual({ ...nack, message: undefined }, { ...expected, message: undefined });
  }
  assert.ok((await three.send({ id: "goes on", to: "user/mallory", content: text })).seq > 0);
  assert.deepEqual(bystander.messages(), []);
  await othersChat();
});

test("a retained publish is refused, or passes without being retained", async (t) => {
  const five = await openRawSession(t, await newSession(), 5);
  const payload = json({ id: "r", to: "user/owner", content: text });
  const { session } = five;
  five.send({
    cmd: "publish",
    topic: session.topics.publish.msg,
    payload,
    qos: 1,
    messageId: 1,
    dup: false,
    retain: true,
  });
  const puback = await eventually(() => five.heard.shift());
  assert.deepEqual([puback.cmd, puback.reasonCode], ["puback", 0x83]);
  const three = await mallory(t);
  await three.client.publishAsync(three.session.topics.publish.msg, payload, { qos: 1, retain: true });
  const { seq } = await three.send({ id: "r", to: "user/owner", content: text });
  assert.equal(seq, 1, "it is stored already, once");
  await othersChat();
});

test("a subscription to anything but one's own topics is refused, and the connection lives on", async (t) => {
  const filters = [...victim.topics.subscribe, "#", "+/#", "im/#", "im/dn/+/m", "im/dn/mallory/#", "im/up/#", "$SYS/#"];
  const shared = ["$share/g/im/dn/victim/m", "$share/g/im/dn/mallory/m", "$share/g/#"];
  for (const version of [4, 5] as const) {
    const device = await mallory(t, { protocolVersion: version });
    for (const filter of [...filters, ...shared]) {
      const code = version === 4 ? 0x80 : shared.includes(filter) ? 0x9e : 0x87;
      const refused = device.client.subscribeAsync(filter, { qos: 1 });
      const granted = await refused.catch((error: { packet?: { granted: number[] } }) => error.packet?.granted);
      assert.deepEqual(granted, [code], `${filter} by MQTT ${version}`);
    }
    await device.client.subscribeAsync(device.session.topics.subscribe, { qos: 1 });
  }
  await othersChat();
});

test("who may not connect is told why, and whoever is connected stays so", async (t) => {
  const bystander = await openStock(t, await logIn(cluster, "victim", "tablet"));
  let cuts = 0;
  bystander.client.on("close", () => (cuts += 1));
  const { mqtt, clientId } = await newSession();
  const will = {
    topic: victim.topics.publish.msg,
    payload: Buffer.from(json({ to: "user/owner", content: text })),
    qos: 1 as const,
  };
  const attempts: [what: string, options: IClientOptions, five: number, three: number][] = [
    ["a wrong password", { password: "wrong wrong wrong" }, 0x86, 5],
    ["a token that is none", { password: "a.b.c" }, 0x86, 5],
    ["no password", { password: "" }, 0x86, 5],
    ["another's client id", { clientId: "victim:tablet" }, 0x85, 2],
    ["another's name", { username: "victim" }, 0x85, 2],
    ["a router's client id", { clientId: "router-p0" }, 0x86, 5],
    ["the services' name", { username: "parley" }, 0x86, 5],
    ["a client id that holds a wildcard", { clientId: "mallory:+" }, 0x85, 2],
    ["a client id of one's own choice", { clientId: "mqttjs_1234" }, 0x85, 2],
    ["a token of another device", { clientId: "mallory:other" }, 0x85, 2],
    ["a Will on another's topic", { will: { ...will, retain: false } }, 0x87, 5],
  ];
  for (const [what, options, five, three] of attempts)
    for (const [protocolVersion, code] of [
      [5, five],
      [4, three],
    ] as const) {
      const refused = { ...mqtt, clientId, protocolVersion, reconnectPeriod: 0, ...options };
      await assert.rejects(connectAsync(url, refused, false), { code }, `${what} by MQTT ${protocolVersion}`);
    }
  assert.equal(cuts, 0);
  await othersChat();
});

test("bytes that are not MQTT cost their connection and nobody else's", async (t) => {
  const junk: [what: string, bytes: number[] | string][] = [
    ["HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a CONNECT of MQTT 3.1", [0x10, 0x0e, 0, 6, 0x4d, 0x51, 0x49, 0x73, 0x64, 0x70, 3, 2, 0, 0, 0, 0]],
    ["a PUBLISH before CONNECT", [0x30, 5, 0, 1, 0x61, 0x7b, 0x7d]],
    ["a length that never ends", [0x10, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ["zeros", [0, 0, 0, 0]],
  ];
  for (const [what, bytes] of junk) {
    const device = await openRaw(t, owner.mqtt.port, 4);
    device.socket.write(Buffer.from(bytes as string));
    await device.closed().catch((error) => assert.fail(`${what}: ${error}`));
  }
  const afterwards: [what: string, bytes: number[], code: number][] = [
    ["a second CONNECT", [0x10, 2, 0, 0], 0x82],
    ["a PUBLISH of QoS 3", [0x36, 8, 0, 1, 0x61, 0, 1, 0, 0x7b, 0x7d], 0x81],
    ["a wildcard as a topic", [0x32, 7, 0, 1, 0x23, 0, 1, 0, 0x7b], 0x90],
  ];
  for (const [what, bytes, code] of afterwards) {
    const device = await openRawSession(t, await newSession(), 5);
    device.socket.write(Buffer.from(bytes));
    assert.equal((await device.closed()).at(-1)?.reasonCode, code, what);
  }
  await othersChat();
});

for (const protocolVersion of [4, 5] as const)
  test(`a packet far too large is refused by its id, and the same connection goes on, MQTT ${protocolVersion}`, async (t) => {
    const device = await mallory(t, { protocolVersion });
    const content = { ...text, data: "x".repeat(3_000_000) };
    const large = json({ id: "large", to: "user/owner", content });
    const sent = device.client.publishAsync(device.session.topics.publish.msg, large, { qos: 1 });
    if (protocolVersion === 5) await assert.rejects(sent, { code: 0x97 });
    else await sent;
    const [nack] = await eventually(() => device.nacks.length > 0 && device.nacks);
    assert.deepEqual([nack?.id, nack?.code], ["large", "too_large"]);
    assert.ok((await device.send({ id: "after it", to: "user/mallory", content: text })).seq > 0);
    await othersChat();
  });

test("in all of it, nothing the others wrote was lost", async () => {
  for (const chat of others) await chat.settle();
  for (const part of ["edge", "router", "history", "auth-webhook"] as const) assert.equal(cluster.restarts(part), 0);
});
