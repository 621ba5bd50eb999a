// Who is in a room with some of its devices only: these hear, read and write there; the user's others meet no room, by any door.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { callHttp, downloadFile, exportAccount, type Session, uploadFile } from "@parley/client";
import {
  accountRemove,
  attachmentsInfo,
  attachmentsList,
  conversationsList,
  conversationsMark,
  conversationsUpdate,
  draftsList,
  draftsSet,
  historyGet,
  keysCreate,
  type Method,
  messagesDelete,
  messagesForward,
  messagesPin,
  messagesPins,
  messagesReactions,
  messagesReceipts,
  messagesSend,
  messagesStar,
  messagesStarred,
  messagesVersions,
  type ParamsOf,
  type ResultOf,
  roomsCreate,
  roomsGet,
  roomsInvite,
  roomsLeave,
  roomsList,
  roomsMembers,
  roomsNest,
  roomsRemoveDevice,
  roomsSetRole,
  roomsUnnest,
  roomsUpdate,
  searchMessages,
  sync,
  threadsGet,
  threadsList,
  threadsUpdate,
} from "@parley/protocol";
import { readSecrets } from "@parley/runtime";
import { eventually, startTestCluster } from "@parley/testkit";
import { strFromU8, unzipSync } from "fflate";
import { connectAsync, type MqttClient } from "mqtt";
import { logIn } from "./mosquitto.ts";
import { registerAll } from "./people.ts";

const cluster = await startTestCluster({ after });
const base = () => cluster.run().http;
await registerAll(cluster, "alice", "bob");

const clients: MqttClient[] = [];
after(() => Promise.all(clients.map((client) => client.endAsync(true))));

interface Device {
  session: Session;
  mqtt: MqttClient;
  /** all that came, whatever it is */
  heard: string[];
  /** those about the conversation */
  about(conv: string): Record<string, unknown>[];
  ask<M extends Method>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>>;
  publish(verb: "msg" | "receipt" | "typing", packet: object): Promise<unknown>;
}

async function open(uid: string, name: string): Promise<Device> {
  const session = await logIn(cluster, uid, name);
  const heard: string[] = [];
  const device: Device = {
    session,
    mqtt: await connect(session, heard),
    heard,
    about: (conv) => heard.filter((text) => text.includes(conv)).map((text) => JSON.parse(text)),
    ask: (method, params) =>
      callHttp(base(), method, params, { token: session.token, idempotencyKey: `${Math.random()}` }),
    publish: (verb, packet) =>
      device.mqtt.publishAsync(session.topics.publish[verb], JSON.stringify(packet), { qos: 1 }),
  };
  return device;
}

async function connect({ mqtt: { host, port, username, password }, clientId, topics }: Session, heard: string[]) {
  const client = await connectAsync(`mqtt://${host}:${port}`, { username, password, clientId, clean: false });
  clients.push(client);
  client.on("message", (_topic, payload) => void heard.push(`${payload}`));
  await client.subscribeAsync(topics.subscribe, { qos: 1 });
  return client;
}

const [alice, pc, phone] = await Promise.all([open("alice", "web"), open("bob", "pc"), open("bob", "phone")]);
const text = (data: string): { type: string; [field: string]: unknown } => ({ type: "text", data });
const withCode =
  (...codes: string[]) =>
  (error: { code?: string }) =>
    codes.includes(error.code ?? "");
const says = (device: Device, to: string, content: { type: string; [field: string]: unknown } = text("hello")) =>
  device.ask(messagesSend, { to, content });
const madeWith = (id: string, devices: string[]) =>
  alice.ask(roomsCreate, { id, name: id, members: ["bob"], devices: { bob: devices } });

/** When this has come, so has all before it. */
async function settled(device: Device): Promise<void> {
  const { id } = await says(alice, "user/bob");
  await eventually(() => device.heard.some((text) => text.includes(id)));
}

test("messages, events, receipts, typing and what a user notes for itself reach the devices that are in a room, and no other", async () => {
  const { conv } = await madeWith("live", ["bob:pc"]);
  await eventually(() => pc.about(conv).length === 1);
  const { seq } = await says(alice, conv);
  await pc.publish("msg", { id: "from-pc", to: conv, content: text("from the pc") });
  await eventually(() => alice.heard.some((text) => text.includes("from the pc")));
  await alice.publish("typing", { conv, state: "composing" });
  await pc.publish("receipt", { conv, delivered: seq, read: seq });
  await alice.publish("receipt", { conv, delivered: seq + 1, read: seq + 1 });
  await pc.ask(conversationsUpdate, { conv, pinned: true });
  await pc.ask(draftsSet, { conv, text: "a thought" });
  await pc.ask(messagesStar, { conv, seq });
  const types = () => new Set(pc.about(conv).map(({ type, content }) => type ?? (content as { type: string }).type));
  await eventually(() =>
    ["typing", "receipt", "conversation", "draft", "star", "ack"].every((type) => types().has(type)),
  );
  await eventually(() => alice.about(conv).some(({ type, uid }) => type === "receipt" && uid === "bob"));
  await settled(phone);
  assert.deepEqual(phone.about(conv), []);
  await phone.mqtt.endAsync();
  await says(alice, conv);
  phone.mqtt = await connect(phone.session, phone.heard);
  await settled(phone);
  assert.deepEqual(phone.about(conv), []);
  await phone.publish("typing", { conv, state: "composing" });
  await phone.publish("receipt", { conv, read: 1 });
  await phone.publish("msg", { id: "from-phone", to: conv, content: text("me too") });
  await eventually(() => phone.heard.filter((text) => text.includes("not_member")).length === 3);
  assert.ok(!alice.heard.some((text) => text.includes("me too")));
});

test("by no method another device of the user reads the room, or changes anything in it", async () => {
  const { id, conv } = await madeWith("closed", ["bob:pc"]);
  const file = await uploadFile(base(), alice.session.token, new Blob(["a file"]));
  const { seq } = await says(alice, conv, { type: "file", file: file.id, name: "pflaume" });
  const answer: ParamsOf<typeof messagesSend> & { thread: number } = { to: conv, content: text("in it"), thread: seq };
  await alice.ask(messagesSend, answer);
  await alice.ask(messagesPin, { conv, seq });
  const about = { conv, seq };
  const asked: { [name: string]: (device: Device) => Promise<unknown> } = {
    get: (device) => device.ask(historyGet, { conv }),
    versions: (device) => device.ask(messagesVersions, about),
    reactions: (device) => device.ask(messagesReactions, about),
    pins: (device) => device.ask(messagesPins, { conv }),
    threads: (device) => device.ask(threadsList, { conv }),
    thread: (device) => device.ask(threadsGet, about),
    follow: (device) => device.ask(threadsUpdate, { ...about, following: true }),
    receipts: (device) => device.ask(messagesReceipts, about),
    mark: (device) => device.ask(conversationsMark, { conv, read: seq }),
    settings: (device) => device.ask(conversationsUpdate, { conv, pinned: true }),
    star: (device) => device.ask(messagesStar, about),
    draft: (device) => device.ask(draftsSet, { conv, text: "mine" }),
    room: (device) => device.ask(roomsGet, { id }),
    members: (device) => device.ask(roomsMembers, { id }),
    file: (device) => device.ask(attachmentsInfo, { id: file.id }),
    download: (device) => downloadFile(base(), device.session.token, file.id),
    send: (device) => says(device, conv),
  };
  const shown: { [name: string]: (device: Device) => Promise<unknown> } = {
    list: (device) => device.ask(conversationsList, {}),
    sync: (device) => device.ask(sync, { all: true }),
    rooms: (device) => device.ask(roomsList, {}),
    drafts: (device) => device.ask(draftsList, {}),
    stars: (device) => device.ask(messagesStarred, {}),
    files: (device) => device.ask(attachmentsList, { ids: [file.id] }),
    search: (device) => device.ask(searchMessages, { query: "pflaume" }),
  };
  const names = (answer: unknown) => [conv, file.id].some((one) => JSON.stringify(answer).includes(one));
  await eventually(async () => names(await shown.search?.(pc)), { timeoutMs: 60_000 });
  for (const [name, ask] of Object.entries(asked)) {
    await assert.rejects(ask(phone), withCode("not_member", "not_found"), name);
    await ask(pc);
  }
  for (const [name, ask] of Object.entries(shown))
    assert.deepEqual([name, names(await ask(pc)), names(await ask(phone))], [name, true, false]);
  // By these the message or its file is elsewhere, or gone.
  const last: { [name: string]: (device: Device) => Promise<unknown> } = {
    forward: (device) => device.ask(messagesForward, { ...about, to: "user/alice" }),
    hide: (device) => device.ask(messagesDelete, { conv, seqs: [seq] }),
  };
  for (const [name, ask] of Object.entries(last))
    await assert.rejects(ask(phone), withCode("not_member", "not_found"), name);
  for (const ask of Object.values(last)) await ask(pc);
  for (const change of [
    () => phone.ask(roomsInvite, { id, uids: ["bob"], devices: { bob: ["bob:phone"] } }),
    () => phone.ask(roomsRemoveDevice, { id, uid: "bob", clientId: "bob:pc" }),
    () => phone.ask(roomsUpdate, { id, name: "mine" }),
    () => phone.ask(roomsLeave, { id }),
  ])
    await assert.rejects(change(), withCode("not_member"));
});

test("a device that comes in hears and reads from there on, and one that goes out hears that; members see who is in with what", async () => {
  const { id, conv } = await madeWith("moving", ["bob:pc"]);
  await says(alice, conv, text("before"));
  const changed = await alice.ask(roomsInvite, { id, uids: ["bob"], devices: { bob: ["bob:phone"] } });
  assert.deepEqual([changed.uids, changed.more], [["bob"], ["bob"]]);
  await says(alice, conv, text("while"));
  const said = (device: Device) => device.about(conv).map(({ content }) => content as Record<string, unknown>);
  const texts = (device: Device) => said(device).flatMap(({ type, data }) => (type === "text" ? [data] : []));
  await eventually(() => texts(phone).length === 1 && texts(pc).length === 2);
  assert.deepEqual(texts(phone), ["while"]);
  const { messages, firstSeq } = await phone.ask(historyGet, { conv });
  assert.deepEqual([firstSeq, messages[0]?.seq, (await pc.ask(historyGet, { conv })).firstSeq], [3, 3, 1]);
  const [row] = (await phone.ask(conversationsList, {})).conversations.filter((one) => one.conv === conv);
  assert.deepEqual([row?.unread, row?.lastSeq], [1, 4]);
  const members = async () => (await alice.ask(roomsMembers, { id })).members.map(({ uid, devices }) => [uid, devices]);
  assert.deepEqual(await members(), [["alice", undefined], ["bob", ["bob:pc", "bob:phone"]]]); // biome-ignore format: one line reads better
  assert.deepEqual((await phone.ask(roomsGet, { id })).devices, ["bob:pc", "bob:phone"]);
  await alice.ask(roomsRemoveDevice, { id, uid: "bob", clientId: "bob:pc" });
  await says(alice, conv, text("without the pc"));
  await eventually(() => texts(phone).includes("without the pc"));
  await settled(pc);
  assert.deepEqual(said(pc).at(-1)?.data, {
    ...{ event: "devices", way: "out", by: "alice", uids: ["bob"], devices: { bob: ["bob:pc"] } },
  });
  await alice.ask(roomsInvite, { id, uids: ["bob"] });
  await says(alice, conv, text("to all"));
  await eventually(() => [pc, phone].every((device) => texts(device).includes("to all")));
  assert.deepEqual(await members(), [["alice", undefined], ["bob", undefined]]); // biome-ignore format: one line reads better
});

test("an admin's device that is not in a room has nothing go on to it, and ends nothing of that", async () => {
  await madeWith("nest-in", [pc.session.clientId]);
  await alice.ask(roomsSetRole, { id: "nest-in", uid: "bob", role: "admin" });
  await phone.ask(roomsCreate, { id: "nest-out", name: "Out", members: [] });
  await assert.rejects(phone.ask(roomsNest, { id: "nest-out", rooms: ["nest-in"] }), withCode("not_found"));
  const nested = [{ id: "nest-in" }];
  await assert.rejects(
    phone.ask(roomsCreate, { id: "nest-made", name: "Made", members: [], nested }),
    withCode("not_found"),
  );
  await pc.ask(roomsNest, { id: "nest-out", rooms: ["nest-in"] });
  await alice.ask(roomsCreate, { id: "nest-far", name: "Far", members: [] });
  await alice.ask(roomsNest, { id: "nest-far", rooms: ["nest-in"] });
  await assert.rejects(phone.ask(roomsUnnest, { id: "nest-far", rooms: ["nest-in"] }), withCode("not_found"));
  await pc.ask(roomsUnnest, { id: "nest-far", rooms: ["nest-in"] });
});

test("the user itself has all of it: an export, by whichever device, an application that sends in its name, and the erasure", async () => {
  const { id, conv } = await madeWith("own", ["bob:pc"]);
  await says(alice, conv, text("zwetschge"));
  const zip = await (await exportAccount(base(), phone.session.token)).arrayBuffer();
  const files = Object.values(unzipSync(new Uint8Array(zip))).map((content) => strFromU8(content));
  assert.ok(files.some((text) => text.includes("zwetschge")));
  const { servicesSecret } = readSecrets(join(cluster.dir, "secrets"));
  const { key } = await callHttp(base(), keysCreate, { name: "shop" }, { token: servicesSecret });
  const sent = { from: "bob", to: conv, content: text("by the shop") };
  await callHttp(base(), messagesSend, sent, { token: key, idempotencyKey: "shop" });
  await eventually(() => pc.heard.some((text) => text.includes("by the shop")));
  await phone.ask(accountRemove, { password: "correct horse battery" });
  await eventually(async () => (await alice.ask(roomsMembers, { id })).members.length === 1, { timeoutMs: 120_000 });
});
