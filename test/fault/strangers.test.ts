// Guarantees 6 and 9: who means harm, or sends nonsense, while parts are killed.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { type JsonObject, p2pConv, roomConv, uplinkTopic } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import { eventually, type Part } from "@parley/testkit";
import mqtt, { type MqttClient } from "mqtt";
import { badRefused } from "./checker/senders.ts";
import { clusterOfFile } from "./cluster-of-file.ts";
import { seeded } from "./seeded.ts";
import { makePeople, type Session } from "./workload/people.ts";
import { callerOf } from "./workload/readers.ts";
import { openTalker } from "./workload/talker.ts";
import { startTroublemaker } from "./workload/troublemaker.ts";

const text = (data: string) => ({ type: "text", data });
const guards: Part[] = ["auth-webhook", "edge", "presence", "redis-server", "nats-server", "api"];

describe("while parts are killed", () => {
  const cluster = clusterOfFile();

  test("6. nobody takes another's client id or token, whoever of the guards has just died", async (t) => {
    const people = await makePeople(cluster(), "guard", 2);
    const alice = await openTalker(t, people, "guard0");
    const [victim, thief] = [await people.login("guard0", "talker"), await people.login("guard1", "own")];
    const masks: Record<string, Mask> = {
      "another's client id": { ...credentialsOf(thief), clientId: victim.clientId },
      "another's client id and name": { ...credentialsOf(thief), clientId: victim.clientId, username: victim.uid },
      "another's token": { ...credentialsOf(thief), password: victim.mqtt.password },
      "a service's client id": { ...credentialsOf(thief), clientId: "router-p0" },
      "no token": { ...credentialsOf(victim), clientId: "guard0:new", password: "" },
    };
    for (const part of guards) {
      await cluster().kill(part);
      // Right after the kill, and when it is back.
      const early = await Promise.all(Object.values(masks).map((mask) => isLetIn(victim, mask)));
      await cluster().waitReady();
      const late = await Promise.all(Object.values(masks).map((mask) => isLetIn(victim, mask)));
      const let_in = Object.keys(masks).filter((_, index) => early[index] || late[index]);
      assert.deepEqual(let_in, [], `after kill -9 of ${part}`);
    }
    assert.ok(await isLetIn(thief, credentialsOf(thief)), "its own id and token let it in");
    await alice.say({ id: "still here", to: "user/guard1", content: text("still here") });
  });

  test("6. nobody sends as another or reads another's topics, whoever of the guards has just died", async (t) => {
    const people = await makePeople(cluster(), "spy", 3);
    const [alice, mallory] = [
      await openTalker(t, people, "spy0"),
      await openTalker(t, people, "spy2", { device: "m" }),
    ];
    const conv = p2pConv("spy0", "spy1");
    const heard: string[] = [];
    const spy = await openSpy(await people.login("spy2", "spy"), heard);
    t.after(() => spy.endAsync(true));
    const victim = alice.device.clientId;
    const stolen = [ingestPartition(victim), ingestPartition(mallory.device.clientId)].map((p) =>
      uplinkTopic({ p, uid: "spy0", clientId: victim, verb: "msg" }),
    );
    const own = mallory.device.topics.publish.msg.replace("spy2/", "spy0/");
    const secrets: string[] = [];
    for (const part of guards) {
      await cluster().kill(part);
      const forged = { id: `forged ${part}`, to: "user/spy1", content: text("forged") };
      for (const topic of [...stolen, own, alice.device.topics.subscribe[0] ?? ""])
        spy.publish(topic, JSON.stringify(forged), { qos: 1 });
      for (const filter of [...alice.device.topics.subscribe, "im/dn/+/m", "#", "$share/g/im/dn/spy0/m"])
        spy.subscribe(filter, { qos: 1 });
      const claims = { from: "spy0", device: victim, conv, seq: 1 };
      await mallory.say({ id: `claims ${part}`, to: "user/spy1", content: text("mine"), ...claims });
      secrets.push((await alice.say({ id: `secret ${part}`, to: "user/spy1", content: text("secret") })).id);
      await cluster().waitReady();
    }
    const { history } = callerOf(cluster(), (await people.login("spy1", "http")).token);
    spy.subscribe(mallory.device.topics.subscribe[0] ?? "", { qos: 1 });
    await mallory.say({ id: "own", to: "user/spy2", content: text("own") });
    await eventually(() => heard.length > 0);
    const froms = async (of: string) =>
      (await history({ conv: of })).messages.map(({ id, from, device }) => `${id} ${from} ${device}`);
    assert.deepEqual(
      await froms(conv),
      secrets.map((id) => `${id} spy0 ${victim}`),
    );
    assert.deepEqual(
      await froms(p2pConv("spy1", "spy2")),
      guards.map((part) => `claims ${part} spy2 ${mallory.device.clientId}`),
    );
    // Of its own packets it is told that they were refused.
    const refused = heard.filter((payload) => (JSON.parse(payload) as JsonObject).type === "nack");
    assert.ok(refused.length > 0);
    assert.deepEqual(
      new Set(refused.map((payload) => (JSON.parse(payload) as JsonObject).code)),
      new Set(["forbidden"]),
    );
    assert.deepEqual(
      heard.filter((payload) => !refused.includes(payload) && /secret|forged/.test(payload)),
      [],
    );
  });

  test("9. a bad packet costs its sender a clear error and nobody else anything, while the router dies", async (t) => {
    const people = await makePeople(cluster(), "bad", 4);
    const [alice, bob] = [await openTalker(t, people, "bad0"), await openTalker(t, people, "bad1", { version: 4 })];
    const culprit = await openTalker(t, people, "bad3", { device: "trouble" });
    const trouble = startTroublemaker(culprit.device, "bad-few");
    t.after(() => trouble.stop());
    const feed = setInterval(() => {
      for (const packet of culprit.packets.splice(0)) trouble.take(packet);
    }, 10);
    t.after(() => clearInterval(feed));
    const noise = setInterval(() => shout(cluster().run().mqtt.port, seeded(trouble.bad().length)), 100);
    t.after(() => clearInterval(noise));
    const wanted: string[] = [];
    const rounds = 2;
    const kinds = 18;
    for (let count = 0; trouble.bad().length < rounds * kinds; count++) {
      if (count === 10) await cluster().kill("router");
      const id = `good ${count}`;
      await Promise.all([
        alice.say({ id, to: "user/bad1", content: text(id) }),
        bob.say({ id, to: "room/bad-few", content: text(id) }),
      ]);
      wanted.push(id);
    }
    trouble.stopNew();
    await eventually(() => trouble.unanswered() === 0);
    const record = { bad: trouble.bad() };
    assert.deepEqual([...badRefused(record as never, new Map())], []);
    const { history } = callerOf(cluster(), (await people.login("bad1", "http")).token);
    for (const [conv, sender] of [
      [p2pConv("bad0", "bad1"), "bad0"],
      [roomConv("bad-few"), "bad1"],
    ] as const) {
      const { messages } = await history({ conv, limit: 500 });
      const stored = messages.filter(({ content }) => content.type !== "event");
      assert.deepEqual(
        stored.map(({ id }) => id),
        wanted,
      );
      assert.ok(stored.every(({ from }) => from === sender));
    }
    assert.equal(cluster().restarts("history"), 0);
    const live = bob.packets.filter(
      ({ conv, seq }) => conv === p2pConv("bad0", "bad1") && seq !== undefined,
    ) as JsonObject[];
    assert.deepEqual(new Set(live.flatMap(({ id, content }) => (content ? [id] : []))), new Set(wanted));
  });
});

interface Mask {
  username: string;
  password: string;
  clientId: string;
}

function credentialsOf({ mqtt: { username, password }, clientId }: Session): Mask {
  return { username, password, clientId };
}

async function isLetIn({ mqtt: { host, port } }: Session, mask: Mask): Promise<boolean> {
  const answers = ([4, 5] as const).map(
    (protocolVersion) =>
      new Promise<boolean>((resolve) => {
        const client = mqtt.connect(`mqtt://${host}:${port}`, {
          ...mask,
          protocolVersion,
          reconnectPeriod: 0,
          connectTimeout: 3_000,
        });
        const end = (letIn: boolean) => {
          resolve(letIn);
          client.end(true);
        };
        client
          .on("connect", () => end(true))
          .on("error", () => end(false))
          .on("close", () => end(false));
      }),
  );
  return (await Promise.all(answers)).includes(true);
}

async function openSpy(
  { mqtt: { host, port, username, password }, clientId }: Session,
  heard: string[],
): Promise<MqttClient> {
  const client = mqtt.connect(`mqtt://${host}:${port}`, {
    username,
    password,
    clientId,
    protocolVersion: 5,
    reconnectPeriod: 200,
    reconnectOnConnackError: true,
  });
  client.on("error", () => {}).on("message", (_, payload) => void heard.push(payload.toString()));
  await eventually(() => client.connected);
  return client;
}

// What is not MQTT at all, on the public port.
function shout(port: number, random: ReturnType<typeof seeded>): void {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => {}).setTimeout(2_000, () => socket.destroy());
  socket.end(Buffer.from(Array.from({ length: 1 + random.below(200) }, () => random.below(256))));
}
