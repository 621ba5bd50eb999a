import assert from "node:assert/strict";
import { after, test } from "node:test";
import { conversationsList, conversationsMark, historyGet } from "@parley/protocol";
import { eventually, startTestCluster } from "@parley/testkit";
import { connectAsync } from "mqtt";
import * as mosquitto from "./mosquitto.ts";
import { connectAs, registerAll } from "./people.ts";
import { openStock } from "./stock.ts";

const cluster = await startTestCluster({ after });

/** People of one test's own. */
let tests = 0;
async function people(...names: string[]): Promise<string[]> {
  tests += 1;
  const uids = names.map((name) => `${name}${tests}`);
  await registerAll(cluster, ...uids);
  return uids;
}

const text = (data: string) => ({ type: "text", data });

for (const version of ["mqttv311", "mqttv5"] as const)
  test(`two stock clients chat with nothing but what login answers (${version})`, async (t) => {
    const [alice = "", bob = ""] = await people("alice", "bob");
    const sender = await mosquitto.logIn(cluster, alice, "pub");
    const receiver = await mosquitto.subscribe(t, await mosquitto.logIn(cluster, bob, "sub"), version);
    await mosquitto.publish(sender, { id: "1", to: `user/${bob}`, content: text("hi bob") }, version);
    await mosquitto.publish(sender, { id: "2", to: `user/${bob}`, content: text("again") }, version);
    const messages = await eventually(() => receiver.packets().length >= 2 && receiver.packets());
    const fields = messages.map(({ conv, seq, from, device, id }) => ({ conv, seq, from, device, id }));
    const same = { conv: `p2p/${alice}/${bob}`, from: alice, device: `${alice}:pub` };
    assert.deepEqual(fields, [
      { ...same, seq: 1, id: "1" },
      { ...same, seq: 2, id: "2" },
    ]);
  });

test("a stock client gets its ack on its own topic, and the same one for the same id", async () => {
  const [alice = "", bob = ""] = await people("alice", "bob");
  const session = await mosquitto.logIn(cluster, alice, "rr");
  const packet = JSON.stringify({ id: "1", to: `user/${bob}`, content: text("hi") });
  const ack = await mosquitto.ask(session, session.topics.publish.msg, packet);
  assert.deepEqual({ ...ack, ts: 0 }, { type: "ack", id: "1", conv: `p2p/${alice}/${bob}`, seq: 1, ts: 0 });
  assert.deepEqual(await mosquitto.ask(session, session.topics.publish.msg, packet), ack);
});

test("numbers of a message come back as they were sent, also beyond 2^53: live, by every request over MQTT, and where the packet is built anew", async (t) => {
  const [alice = "", bob = ""] = await people("alice", "bob");
  const sender = await openStock(t, await mosquitto.logIn(cluster, alice, "numbers"));
  const receiver = await openStock(t, await mosquitto.logIn(cluster, bob, "numbers"));
  const heard: { topic: string; text: string }[] = [];
  receiver.client.on("message", (topic, payload) => heard.push({ topic, text: `${payload}` }));
  const content = '{"type":"x-n","big":9007199254740993,"list":[1.0,-0,1e400,-123456789012345678901234567890]}';
  const to = `"to":"user/${bob}","content":${content}`;
  const packets = [`{"id":"1",${to}}`, ` {"id":"2",${to}}`, `{"ts":9007199254740993,"id":"3",${to}}`];
  for (const packet of packets) await sender.client.publishAsync(sender.session.topics.publish.msg, packet, { qos: 1 });
  const [live, , own] = receiver.session.topics.subscribe;
  const countOn = (topic: string | undefined, some = heard) =>
    some
      .filter((one) => one.topic === topic)
      .reduce((sum, one) => sum + one.text.split(`"content":${content}`).length - 1, 0);
  await eventually(() => heard.filter(({ topic }) => topic === live).length >= packets.length);
  assert.equal(countOn(live), packets.length, "live");
  const conv = `p2p/${alice}/${bob}`;
  const requests = [
    { method: "history.get", params: { conv }, found: 3 },
    { method: "sync", params: { cursors: {} }, found: 3 },
    { method: "conversations.list", params: {}, found: 1 },
  ];
  for (const { method, params, found } of requests) {
    const before = heard.length;
    await receiver.ask(receiver.session.topics.publish.rpc, JSON.stringify({ id: method, method, params }));
    assert.equal(countOn(own, heard.slice(before)), found, method);
  }
});

test("two SDK clients: every message acknowledged, shown once, in one order for both", async (t) => {
  const [alice = "", bob = ""] = await people("alice", "bob");
  const a = await connectAs(t, cluster, alice);
  const b = await connectAs(t, cluster, bob);
  const numbers = Array.from({ length: 100 }, (_, n) => n);
  const acks = await Promise.all(
    numbers.flatMap((n) => [a.client.send(`user/${bob}`, `a${n}`), b.client.send(`user/${alice}`, `b${n}`)]),
  );
  assert.deepEqual(
    acks.map(({ seq }) => seq).toSorted((x, y) => x - y),
    Array.from({ length: 200 }, (_, n) => n + 1),
  );
  await eventually(() => a.shown.length === 200 && b.shown.length === 200);
  assert.deepEqual(a.shown, b.shown);
  assert.deepEqual(
    a.shown.map(({ seq }) => seq),
    Array.from({ length: 200 }, (_, n) => n + 1),
  );
  const own = a.texts().filter((data) => `${data}`.startsWith("a"));
  assert.deepEqual(
    own,
    numbers.map((n) => `a${n}`),
    "a device's messages keep their order",
  );
});

test("an SDK client and a stock client chat", async (t) => {
  const [alice = "", bob = ""] = await people("alice", "bob");
  const a = await connectAs(t, cluster, alice);
  const session = await mosquitto.logIn(cluster, bob, "stock");
  const stock = await mosquitto.subscribe(t, session);
  await a.client.send(`user/${bob}`, "from the SDK");
  await eventually(() => stock.packets().some(({ from }) => from === alice));
  await mosquitto.publish(await mosquitto.logIn(cluster, bob, "pub"), {
    to: `user/${alice}`,
    content: text("from stock"),
  });
  await eventually(() => a.texts().includes("from stock"));
});

test("the SDK chats over WebSocket too", async (t) => {
  const [alice = "", bob = ""] = await people("alice", "bob");
  const a = await connectAs(t, cluster, alice, { transport: "ws" });
  const b = await connectAs(t, cluster, bob, { transport: "ws" });
  await a.client.send(`user/${bob}`, "hi");
  await eventually(() => b.texts().includes("hi"));
});

const nest = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
const badMessages: Record<string, [payload: string | Buffer, code: string, contains: string]> = {
  "no JSON": ["hello", "invalid_packet", "not JSON"],
  "no UTF-8": [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), "invalid_packet", "not UTF-8"],
  "no object": ["[1,2]", "invalid_packet", "not a JSON object"],
  "no receiver": ['{"id":"1","content":{"type":"text"}}', "invalid_packet", "to is missing"],
  "no content": ['{"id":"1","to":"user/bob"}', "invalid_packet", "content is missing"],
  "a wrong type": ['{"id":"1","to":"user/bob","content":{"type":"A B"}}', "invalid_packet", "content.type"],
  "an address that is none": ['{"id":"1","to":"nowhere/at/all","content":{"type":"text"}}', "invalid_packet", "to"],
  "an unknown user": ['{"id":"1","to":"user/nobody","content":{"type":"text"}}', "not_found", ""],
  "an unknown room": ['{"id":"1","to":"room/nowhere","content":{"type":"text"}}', "not_found", ""],
  "an event of its own": ['{"id":"1","to":"user/bob","content":{"type":"event","data":{}}}', "forbidden", "event"],
  "a prototype": ['{"id":"1","to":"user/bob","content":{"type":"text","__proto__":{}}}', "invalid_packet", "__proto__"],
  "an operator": ['{"id":"1","to":"user/bob","content":{"type":"text","$set":1}}', "invalid_packet", "$set"],
  "deep nesting": [`{"to":"user/bob","content":${nest(40)}}`, "invalid_packet", "nested deeper"],
  "too many bytes": [`{"to":"user/bob","content":{"type":"text","data":"${"x".repeat(70_000)}"}}`, "too_large", ""],
  "an unknown predecessor": ['{"id":"1","prev":"0","to":"user/%","content":{"type":"text"}}', "out_of_order", ""],
};

test("every bad message gets a nack that says what is wrong, and costs nobody else anything", async (t) => {
  const [alice = "", bob = ""] = await people("alice", "bob");
  const b = await connectAs(t, cluster, bob);
  const session = await mosquitto.logIn(cluster, alice, "rr");
  for (const [name, [payload, code, contains]] of Object.entries(badMessages)) {
    const sent = typeof payload === "string" ? payload.replace("user/%", `user/${bob}`) : payload;
    const { msg } = session.topics.publish;
    const nack = await (typeof sent === "string"
      ? mosquitto.ask(session, msg, sent)
      : mosquitto.askBytes(session, msg, sent));
    assert.equal(nack.type, "nack", `${name}: ${JSON.stringify(nack)}`);
    assert.equal(nack.code, code, `${name}: ${JSON.stringify(nack)}`);
    assert.ok(`${nack.message}`.includes(contains), `${name}: ${nack.message}`);
  }
  const good = JSON.stringify({ id: "9", to: `user/${bob}`, content: text("good") });
  assert.equal((await mosquitto.ask(session, session.topics.publish.msg, good)).seq, 1);
  await eventually(() => b.shown.length === 1);
});

test("bad receipts, typing and requests get nacks and errors that name the field", async () => {
  const [alice = ""] = await people("alice");
  const session = await mosquitto.logIn(cluster, alice, "rr");
  const { receipt, rpc } = session.topics.publish;
  const nack = await mosquitto.ask(session, receipt, '{"id":"r","conv":"room/r1","raed":1}');
  assert.match(`${nack.code} ${nack.message}`, /invalid_packet .*raed/);
  const unknown = await mosquitto.ask(session, rpc, '{"id":"1","method":"rooms.destroy","params":{}}');
  assert.deepEqual([unknown.id, (unknown.error as { code: string }).code], ["1", "not_found"]);
  const params = await mosquitto.ask(
    session,
    rpc,
    '{"id":"2","method":"history.get","params":{"conv":"room/r1","limt":5}}',
  );
  assert.match(JSON.stringify(params.error), /invalid_packet.*limt/);
  const http = await mosquitto.ask(session, rpc, '{"id":"3","method":"login","params":{}}');
  assert.ok(http.error, "what needs a password is not worked over MQTT");
});

test("a message on another partition's topic is refused with the right topic", async () => {
  const [alice = "", bob = ""] = await people("alice", "bob");
  const session = await mosquitto.logIn(cluster, alice, "rr");
  const right = session.topics.publish.msg;
  const wrong = right.replace(/^im\/up\/./, (start) => start.slice(0, -1) + (start.endsWith("0") ? "1" : "0"));
  const nack = await mosquitto.ask(session, wrong, JSON.stringify({ to: `user/${bob}`, content: text("x") }));
  assert.equal(nack.code, "wrong_partition");
  assert.ok(JSON.stringify(nack).includes(right), JSON.stringify(nack));
});

test("a request over MQTT 5 is answered on its Response Topic with its Correlation Data", async (t) => {
  const [alice = ""] = await people("alice");
  const { clientId, mqtt, topics } = await mosquitto.logIn(cluster, alice, "five");
  const client = await connectAsync(`mqtt://${mqtt.host}:${mqtt.port}`, { ...mqtt, clientId, protocolVersion: 5 });
  t.after(() => client.endAsync(true));
  const responseTopic = topics.subscribe[2] ?? "";
  await client.subscribeAsync(responseTopic, { qos: 1 });
  const answers: { id: unknown; correlation: string | undefined }[] = [];
  client.on("message", (_topic, payload, { properties }) => {
    answers.push({ id: JSON.parse(`${payload}`).id, correlation: properties?.correlationData?.toString() });
  });
  const request = JSON.stringify({ id: "q7", method: "rooms.list", params: {} });
  const properties = { responseTopic, correlationData: Buffer.from("c-42") };
  await client.publishAsync(topics.publish.rpc, request, { qos: 1, properties });
  await eventually(() => answers.length > 0);
  assert.deepEqual(answers, [{ id: "q7", correlation: "c-42" }]);
});

test("receipts: delivered by itself, read when marked, told to the sender and to the reader's other devices", async (t) => {
  const [alice = "", bob = ""] = await people("alice", "bob");
  const heard = { alice: [0, 0], phone: [0, 0] };
  const listen = (who: "alice" | "phone") => ({
    receipt: ({ uid, delivered, read }: { uid: string; delivered: number; read: number }) => {
      if (uid === bob) heard[who] = [delivered, read];
    },
  });
  const a = await connectAs(t, cluster, alice, { listeners: listen("alice") });
  await connectAs(t, cluster, bob, { device: "phone", listeners: listen("phone"), sendDelivered: false });
  const b = await connectAs(t, cluster, bob);
  for (const data of ["1", "2", "3"]) await a.client.send(`user/${bob}`, data);
  await eventually(() => heard.alice[0] === 3 && heard.alice[1] === 0);
  b.client.markRead(`p2p/${alice}/${bob}`, 2);
  await eventually(() => heard.alice[1] === 2 && heard.phone[1] === 2);
  b.client.markRead(`p2p/${alice}/${bob}`, 1);
  b.client.markRead(`p2p/${alice}/${bob}`, 99);
  await eventually(() => heard.alice[1] === 3 && heard.phone[1] === 3);
  assert.deepEqual(heard, { alice: [3, 3], phone: [3, 3] }, "forward only, never past the last");
});

test("what a request marks as read is told to the sender and to the reader's other devices as a receipt is", async (t) => {
  const [alice = "", bob = ""] = await people("alice", "bob");
  const conv = `p2p/${alice}/${bob}`;
  const heard: Record<string, number> = {};
  const listen = (who: string) => ({
    receipt: ({ uid, read }: { uid: string; read: number }) => {
      if (uid === bob) heard[who] = read;
    },
  });
  const a = await connectAs(t, cluster, alice, { listeners: listen("alice") });
  await connectAs(t, cluster, bob, { device: "phone", listeners: listen("phone"), sendDelivered: false });
  const b = await connectAs(t, cluster, bob, { sendDelivered: false });
  for (const data of ["1", "2", "3"]) await a.client.send(`user/${bob}`, data);
  assert.deepEqual(await b.client.request(conversationsMark, { conv, read: 2 }), { conv, delivered: 2, read: 2 });
  await eventually(() => heard.alice === 2 && heard.phone === 2);
  assert.deepEqual(await b.client.request(conversationsMark, { conv, delivered: 99, read: 1 }), {
    conv,
    delivered: 3,
    read: 2,
  });
});

test("unread is what others wrote since one last read or wrote", async (t) => {
  const [alice = "", bob = ""] = await people("alice", "bob");
  const a = await connectAs(t, cluster, alice);
  const b = await connectAs(t, cluster, bob);
  const unread = async () => {
    const { conversations } = await b.client.request(conversationsList, {});
    return conversations.find(({ conv }) => conv === `p2p/${alice}/${bob}`)?.unread;
  };
  for (const data of ["1", "2", "3"]) await a.client.send(`user/${bob}`, data);
  await a.client.send(`user/${bob}`, { type: "reaction", seq: 1, data: "👍" });
  assert.equal(await unread(), 3);
  b.client.markRead(`p2p/${alice}/${bob}`, 1);
  await eventually(async () => (await unread()) === 2);
  await b.client.send(`user/${alice}`, "mine");
  assert.equal(await unread(), 0);
});

test("typing is told while it happens, and is in no history", async (t) => {
  const [alice = "", bob = ""] = await people("alice", "bob");
  const typists: string[] = [];
  const a = await connectAs(t, cluster, alice, {
    listeners: { typing: ({ uid, state }) => typists.push(`${uid} ${state}`) },
  });
  const b = await connectAs(t, cluster, bob);
  await a.client.send(`user/${bob}`, "hi");
  await eventually(() => {
    b.client.typing(`p2p/${alice}/${bob}`);
    return typists.includes(`${bob} composing`);
  });
  const { lastSeq } = await a.client.request(historyGet, { conv: `p2p/${alice}/${bob}` });
  assert.equal(lastSeq, 1);
});

test("nobody publishes as another, subscribes to another's topics or takes another's client id", async (t) => {
  const [alice = "", bob = ""] = await people("alice", "bob");
  const b = await connectAs(t, cluster, bob);
  const { mqtt, clientId, token } = await mosquitto.logIn(cluster, alice, "mallory");
  const url = `mqtt://${mqtt.host}:${mqtt.port}`;
  const bobs = (await mosquitto.logIn(cluster, bob, "phone")).topics;
  const client = await connectAsync(url, { ...mqtt, clientId, protocolVersion: 5 });
  t.after(() => client.endAsync(true));
  for (const topic of [...bobs.subscribe, "im/#", "im/dn/+/m", `$share/x/im/dn/${bob}/m`])
    await assert.rejects(client.subscribeAsync(topic, { qos: 1 }), topic);
  const forged = JSON.stringify({ id: "1", to: `user/${bob}`, content: text("as bob") });
  await client.publishAsync(bobs.publish.msg, forged, { qos: 1 }).catch(() => {});
  await client.publishAsync(`im/dn/${bob}/m`, forged, { qos: 1 }).catch(() => {});
  const stolen = { ...mqtt, clientId: `${bob}:sdk`, password: token, reconnectPeriod: 0 };
  await assert.rejects(connectAsync(url, stolen, false));
  const asAlice = await connectAs(t, cluster, alice);
  await asAlice.client.send(`user/${bob}`, { type: "text", data: "as alice" }, { from: bob, type: "chat" });
  await eventually(() => b.shown.length > 0);
  assert.deepEqual(
    b.shown.map(({ from, content }) => [from, content.type === "text" && content]),
    [[alice, { type: "text", data: "as alice" }]],
  );
  assert.equal(b.client.state, "online", "bob's own connection is as it was");
});
