// Copies that a router gives the edge past the broker; the router is played, Mosquitto is real.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { type CopiesAnswer, CopiesReader, writeCopies } from "@parley/protocol/direct-copies";
import type { Logger } from "@parley/runtime";
import { eventually, startLink, startServers } from "@parley/testkit";
import mqtt, { type IClientOptions } from "mqtt";
import type { DirectPeople } from "../src/direct/hand-out.ts";
import { openDirectDoor } from "../src/direct/serve.ts";
import { openSession } from "./raw-client.ts";
import { connectDevice, startBoth, type TestEdge } from "./surroundings.ts";

const { mosquitto } = await startServers({ after }, { mosquitto: true });
let users = 0;

/** An edge with its socket, a router on it, and a name that no other test has. */
async function start(t: TestContext, brokerUrl = mosquitto.url) {
  const dir = await mkdtemp(join(tmpdir(), "parley-edge-"));
  const path = join(dir, "direct.sock");
  const broker = { ...mosquitto, url: brokerUrl };
  const { edge } = await startBoth(t, broker, { PARLEY_DIRECT_SOCKET: path });
  const socket = connect({ path });
  t.after(async () => {
    socket.destroy();
    await edge.close();
    await rm(dir, { recursive: true, force: true });
  });
  const answers: CopiesAnswer[] = [];
  const reader = new CopiesReader();
  socket.on("data", (chunk) => answers.push(...([...reader.push(chunk)] as CopiesAnswer[])));
  let id = 0;
  const hand = (topic: string, text: string, reopens = true) => {
    id += 1;
    socket.write(writeCopies(id, [{ topic, reopens }], Buffer.from(text)));
    return id;
  };
  users += 1;
  const uid = `direct${process.pid}x${users}`;
  /** Resolves with what the edge says of this copy in the end. */
  const outcome = async (of: number) => {
    await eventually(() => answers.some((one) => one.kind === "done" && one.id === of));
    return answers.filter((one) => one.id === of).map(({ kind }) => kind);
  };
  /** Until it has read what earlier edges wrote down it refuses all. */
  const handUntilTaken = async (topic: string, text: string) => {
    for (;;) {
      const [first] = await outcome(hand(topic, text));
      if (first === "done") return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  return { edge, uid, path, hand, outcome, handUntilTaken };
}

function join3(t: TestContext, edge: TestEdge, uid: string, device: string, options: IClientOptions = {}) {
  return connectDevice(t, edge, { username: uid, clientId: `${uid}:${device}`, ...options });
}

async function listener(t: TestContext, edge: TestEdge, uid: string, device = "phone", options: IClientOptions = {}) {
  const client = await join3(t, edge, uid, device, options);
  await client.subscribeAsync([`im/dn/${uid}/m`, `im/dn/${uid}/d/${uid}:${device}`], { qos: 1 });
  return client;
}

/** A service at the broker's own port. */
async function service(t: TestContext) {
  const client = await mqtt.connectAsync(mosquitto.url, {
    protocolVersion: 5,
    username: "parley",
    password: mosquitto.password,
    reconnectPeriod: 0,
  });
  t.after(() => client.end(true));
  return client;
}

for (const protocolVersion of [4, 5] as const)
  test(`a copy reaches all devices of a user, and the broker never sees it, MQTT ${protocolVersion}`, async (t) => {
    const { edge, uid, outcome, hand, handUntilTaken } = await start(t);
    const seen: string[] = [];
    const broker = await service(t);
    broker.on("message", (topic) => seen.push(topic));
    await broker.subscribeAsync(`im/dn/${uid}/#`);
    const phone = await listener(t, edge, uid, "phone", { protocolVersion });
    const desk = await listener(t, edge, uid, "desk", { protocolVersion });
    await handUntilTaken(`im/dn/${uid}/m`, "first");
    assert.deepEqual(await outcome(hand(`im/dn/${uid}/m`, "second", false)), ["done"]);
    assert.deepEqual(await outcome(hand(`im/dn/${uid}/d/${uid}:desk`, "for one")), ["done"]);
    assert.deepEqual(phone.received, ["first", "second"]);
    assert.deepEqual(desk.received, ["first", "second", "for one"]);
    assert.deepEqual(seen, []);
  });

test("while one of a user's sessions is away its copies are the broker's, and so they are until a device that is back has subscribed", async (t) => {
  const { edge, uid, outcome, hand, handUntilTaken } = await start(t);
  const topic = `im/dn/${uid}/m`;
  await listener(t, edge, uid, "desk");
  const kept = { clean: false, protocolVersion: 4 } as const;
  const phone = await listener(t, edge, uid, "phone", kept);
  await handUntilTaken(topic, "both");
  await phone.endAsync();
  await eventually(async () => (await outcome(hand(topic, "away")))[0] === "refused");
  const back = await join3(t, edge, uid, "phone", kept);
  assert.deepEqual(await outcome(hand(topic, "resumed")), ["refused", "done"]);
  await back.subscribeAsync(topic, { qos: 1 });
  assert.deepEqual(await outcome(hand(topic, "again")), ["done"]);
  assert.deepEqual(back.received, ["again"]);
});

test("what a device has not confirmed when it is cut off is late, and gone where its session ends with it", async (t) => {
  const { edge, uid, outcome, hand, handUntilTaken } = await start(t);
  for (const clean of [true, false]) {
    const own = `${uid}c${clean}`;
    const warm = await listener(t, edge, own, "warm");
    await handUntilTaken(`im/dn/${own}/m`, "warm");
    await warm.endAsync();
    await eventually(async () => (await edge.metric("edge_connections")) === 0);
    const phone = await openSession(t, edge.tcp, 4, `${own}:phone`, { username: own, clean });
    phone.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: `im/dn/${own}/m`, qos: 1 }] });
    await phone.next();
    const given = hand(`im/dn/${own}/m`, "unconfirmed");
    assert.equal((await phone.next()).cmd, "publish");
    phone.socket.destroy();
    assert.deepEqual(await outcome(given), clean ? ["done"] : ["late", "done"]);
  }
});

test("copies keep their order when they go through the broker, past it, and through it again", async (t) => {
  // What the broker has written reaches the edge later than the publisher's PUBACK.
  const link = await startLink(Number(new URL(mosquitto.url).port));
  t.after(() => link.close());
  link.delay(5, "answers");
  const { edge, uid, outcome, hand, handUntilTaken } = await start(t, `mqtt://127.0.0.1:${link.port}`);
  const topic = `im/dn/${uid}/m`;
  const [phone, broker] = [await listener(t, edge, uid), await service(t)];
  await handUntilTaken(topic, "0");
  const said = ["0"];
  for (let round = 1; round < 100; round += 2) {
    said.push(`${round}`, `${round + 1}`);
    await broker.publishAsync(topic, `${round}`, { qos: 1 });
    assert.deepEqual(await outcome(hand(topic, `${round + 1}`)), ["done"]);
  }
  assert.deepEqual(phone.received, said);
});

test("by the CONNACK of a session that persists the broker has it written down for the edge that comes after a kill", async (t) => {
  const { edge, uid, handUntilTaken } = await start(t);
  await listener(t, edge, `${uid}ready`);
  await handUntilTaken(`im/dn/${uid}ready/m`, "it works");
  const broker = await service(t);
  await openSession(t, edge.tcp, 4, `${uid}:phone`, { username: uid, clean: false });
  const written: string[] = [];
  broker.on("message", (topic) => written.push(topic));
  await broker.subscribeAsync("parley/sessions/#");
  await broker.publishAsync("im/probe", "", { qos: 1 });
  assert.ok(written.some((topic) => topic.includes(encodeURIComponent(`${uid}:phone`))));
});

test("a service that hears everybody's topics through the edge misses nothing", async (t) => {
  const { edge, uid, outcome, hand, handUntilTaken } = await start(t);
  await listener(t, edge, uid);
  await handUntilTaken(`im/dn/${uid}/m`, "before");
  const watcher = await connectDevice(t, edge, { username: "parley", clientId: `sys_watch${process.pid}` });
  assert.deepEqual(await outcome(hand(`im/dn/${uid}/m`, "watched")), ["refused", "done"]);
  await watcher.endAsync();
  await handUntilTaken(`im/dn/${uid}/m`, "after");
});

test("a second edge on the same socket is told in one line that there is one", async (t) => {
  const { path } = await start(t);
  const second = openDirectDoor({ path, people: {} as DirectPeople, together: (work) => work(), log: {} as Logger });
  await assert.rejects(second, {
    message: `PARLEY_DIRECT_SOCKET ${path}: another edge listens there, and only one may`,
  });
});
