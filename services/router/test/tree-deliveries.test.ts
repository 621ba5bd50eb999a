// Two routers and a device of another protocol: what one has for a device of the other's reaches it, whatever NATS loses on the way.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { messagesTopic } from "@parley/protocol";
import { ingestPartition, ingestPartitions } from "@parley/protocol/partition";
import { connectRedis, leaseKey } from "@parley/runtime";
import { type Cluster, eventually, serviceContext, startTestCluster, type TestContext } from "@parley/testkit";
import { connect, connectAsync } from "mqtt";
import { mqttChat } from "../../../test/programs/mqtt-chat.ts";
import { connectDevice, type Device, text } from "./pairs.ts";

const lossMs = 1_500;

test("a device of another protocol is told all, also the last message of each conversation, that NATS lost between two routers", {
  timeout: 180_000,
}, async (t) => {
  const cluster = await startTestCluster(t, { replicas: { router: 2 }, links: true });
  await untilShared(t, cluster);
  const senders = await sendersOfAllPartitions(t, cluster);
  const program = await openProgram(t, cluster, "alice");

  await t.test("what was handed to the router that serves it", async () => {
    await program.connect();
    // Whose device it is, each router knows by then.
    const ids = await sayTo("alice", senders, "first");
    await hears(program, ids);
    for (const index of [0, 1]) {
      await losing(cluster, index, async () => {
        ids.push(...(await sayTo("alice", senders, `told-${index}`)));
        await sleep(lossMs);
      });
      await acknowledged(senders, ids);
      await hears(program, ids);
    }
  });

  await t.test("that it came, to a router that others' messages come to", async () => {
    for (const index of [0, 1]) {
      const uid = `late-${index}`;
      const late = await openProgram(t, cluster, uid);
      await losing(cluster, index, async () => {
        await late.connect();
        await sleep(lossMs);
      });
      await cluster.waitReady("router");
      const ids = await sayTo(uid, senders, `came-${index}`);
      await acknowledged(senders, ids);
      await hears(late, ids);
    }
  });
});

test("a native device that comes where the user had none is sent all that is said from its SUBACK on, in order", {
  timeout: 120_000,
}, async (t) => {
  const { cluster, program, sender } = await openBoth(t);
  const ids: string[] = [];
  const saying = setInterval(() => {
    ids.push(`said-${ids.length}`);
    void sender.send(text(ids.at(-1) as string, "user/alice"));
  }, 4);
  t.after(() => clearInterval(saying));
  for (let round = 0; round < 8; round++) {
    // Long enough that nobody hears copies for alice by then.
    await sleep(300);
    const native = await connectDevice(t, cluster, `alice:native-${round}`);
    const from = ids.length;
    await sleep(100 + round * 30);
    const to = ids.length;
    const seqs = () => native.messages.map(({ seq }) => seq);
    await eventually(() => native.messages.some(({ id }) => id === ids[to - 1]), { timeoutMs: 20_000 });
    const heard = new Set(native.messages.map(({ id }) => id));
    assert.deepEqual(
      ids.slice(from, to).filter((id) => !heard.has(id)),
      [],
    );
    assert.deepEqual(
      seqs(),
      seqs().toSorted((a, b) => a - b),
    );
    await native.client.unsubscribeAsync(messagesTopic("alice"));
    await native.client.endAsync(true);
  }
  clearInterval(saying);
  await hears(program, ids);
});

test("a native device whose session the broker keeps is sent what was said while it was away, beside a device of another protocol", {
  timeout: 120_000,
}, async (t) => {
  const { cluster, program, sender } = await openBoth(t);
  const say = async (name: string) => {
    const ids = Array.from({ length: 50 }, (_, index) => `${name}-${index}`);
    for (const id of ids) await sender.send(text(id, "user/alice"));
    await hears(program, ids);
    return ids;
  };
  await say("before");
  const native = await connectDevice(t, cluster, "alice:kept");
  await native.client.endAsync();
  const ids = await say("away");
  const login = { username: "parley", password: cluster.servicesSecret, clientId: "alice:kept", clean: false };
  const back = connect(cluster.wiring.urls.broker, login);
  t.after(() => back.endAsync(true));
  const heard: string[] = [];
  back.on("message", (_topic, payload) => void heard.push(JSON.parse(payload.toString()).id));
  // What was said right before it subscribed may come too.
  const away = () => heard.filter((id) => !id.startsWith("before"));
  await eventually(() => away().length >= ids.length, { timeoutMs: 20_000 });
  assert.deepEqual(away(), ids);
});

/** Each router holds half of the partitions, so that one has messages for the other's devices. */
async function untilShared(t: TestContext, cluster: Cluster): Promise<void> {
  const redis = await connectRedis({ url: cluster.wiring.urls.redis, log: serviceContext("test").log });
  t.after(() => redis.disconnect());
  await eventually(async () => {
    const holders = await redis.mget(ingestPartitions.map((p) => leaseKey("ingest", p)));
    return [...Map.groupBy(holders, (holder) => holder).values()].every(({ length }) => length === 8);
  });
}

/** What NATS has for a router is lost while `work` is done, and its connection with it. */
async function losing(cluster: Cluster, index: number, work: () => Promise<void>): Promise<void> {
  const link = cluster.link("router", "nats", { index });
  link.dropAnswers();
  await work();
  link.cut();
  link.pass();
}

async function sendersOfAllPartitions(t: TestContext, cluster: Cluster): Promise<Device[]> {
  const senders: Device[] = [];
  for (const p of ingestPartitions) {
    let count = 0;
    while (ingestPartition(`s${count}`) !== p) count += 1;
    senders.push(await connectDevice(t, cluster, `s${count}`));
  }
  return senders;
}

async function sayTo(uid: string, senders: readonly Device[], name: string): Promise<string[]> {
  return Promise.all(
    senders.map(async (sender) => {
      const id = `${name}-${sender.uid}`;
      await sender.send(text(id, `user/${uid}`));
      return id;
    }),
  );
}

async function acknowledged(senders: readonly Device[], ids: readonly string[]): Promise<void> {
  const acks = () =>
    new Set(senders.flatMap(({ answers }) => answers.flatMap(({ type, id }) => (type === "ack" ? [id] : []))));
  await eventually(() => ids.every((id) => acks().has(id)), { timeoutMs: 60_000 });
}

/** Alice with a device of another protocol, and bob with a native one. */
async function openBoth(t: TestContext) {
  const cluster = await startTestCluster(t);
  const program = await openProgram(t, cluster, "alice");
  await program.connect();
  return { cluster, program, sender: await connectDevice(t, cluster, "bob") };
}

/** A program of mqtt-chat whose session the broker keeps. */
async function openProgram(t: TestContext, cluster: Cluster, uid: string) {
  const { http, mqtt } = cluster.run();
  const post = async (path: string, more: object) => {
    const body = JSON.stringify({ username: uid, password: "correct horse", ...more });
    const answer = await fetch(`${http}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    return (await answer.json()) as { token: string; clientId: string };
  };
  await post("/register", {});
  const { token, clientId } = await post("/login", mqttChat.login(uid, "program"));
  const options = { username: uid, password: token, clientId, clean: false, reconnectPeriod: 0 };
  const heard = new Set<string>();
  let disconnect = async () => {};
  t.after(() => disconnect());
  return {
    heard,
    async connect() {
      const client = await connectAsync(`mqtt://${mqtt.host}:${mqtt.port}`, options);
      disconnect = () => client.endAsync(true);
      client.on("message", (topic, payload) => {
        for (const told of mqttChat.read(uid, topic, payload)) if (told.kind === "message") heard.add(told.id);
      });
      await client.subscribeAsync(mqttChat.filters(uid, []), { qos: 1 });
    },
  };
}

async function hears({ heard }: { heard: ReadonlySet<string> }, ids: readonly string[]): Promise<void> {
  const missing = () => ids.filter((id) => !heard.has(id));
  await eventually(() => missing().length === 0, { timeoutMs: 30_000 }).catch(() => undefined);
  assert.deepEqual(missing(), []);
}
