// The chatroom's listener and publisher, written from its page alone, as guests of a real cluster, with people of other protocols.
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { type Message, roomsCreate, roomsGet, roomsJoin } from "@parley/protocol";
import { eventually, startTestCluster, type TestContext } from "@parley/testkit";
import { connectAsync } from "mqtt";
import { connectAs, password, registerAll } from "../../e2e/people.ts";
import { pythonWith } from "../python.ts";
import { programsOf } from "./programs.ts";

const GUESTS = "chat:chat:chat,Test:test:test/,Server:admin:";
const cluster = await startTestCluster({ after }, { env: { GUESTS } });
const { mqtt, http } = cluster.run();
const host = `${mqtt.host}:${mqtt.port}`;
await registerAll(cluster, "alice", "bob", "carol", "dave");
const pythons = new Map<string, string>();
for (const version of ["1.5.1", "1.6.1", "2.1.0"]) pythons.set(version, await pythonWith(`paho-mqtt==${version}`));
const newest = pythons.get("2.1.0") as string;
const chat = { user: "chat", password: "chat" };

// Most of the time they wait for each other: several at a time.
suite("chatroom", { concurrency: 3 }, () => {
  for (const [version, python] of pythons)
    test(`paho-mqtt ${version}: listeners hear messages, who comes, who goes and whose connection breaks`, async (t) => {
      const topic = `chat/flows-${version}`;
      const programs = programsOf(t, python, host);
      const ann = await programs.listen({ ...chat, topic, name: "ann" });
      await ann.prints(`* ann: User ann is now subscribed to ${topic} .`);
      const ben = await programs.listen({ ...chat, topic, name: "ben" });
      await ann.prints(`* ben: User ben is now subscribed to ${topic} .`);
      const eve = await programs.publisher({ ...chat, topic, name: "eve" });
      eve.type('Привіт "quote" 👋');
      eve.type("");
      eve.type("same");
      eve.type("same");
      eve.type("last");
      for (const listener of [ann, ben]) {
        await listener.prints("eve: last");
        const said = listener.lines.filter((line) => line.startsWith("eve: "));
        assert.deepEqual(said, ['eve: Привіт "quote" 👋', "eve: ", "eve: same", "eve: same", "eve: last"]);
      }
      ben.type("");
      await ann.prints(`* ben: User ben disconnecting from ${topic} .`);
      eve.kill();
      await ann.prints("* chat: User eve timed out.");
      const late = await programs.listen({ ...chat, topic, name: "late" });
      await late.prints(`* late: User late is now subscribed to ${topic} .`);
      assert.deepEqual(late.lines.length, 2, "of what was said before nothing is told");
    });

  test("a topic without a right is silent, to publish on and to subscribe; nobody else is let in", async (t) => {
    const programs = programsOf(t, newest, host);
    const reader = await programs.listen({ ...chat, topic: "test/" });
    const stranger = await programs.listen({ ...chat, topic: "#" });
    const own = await programs.listen({ user: "Test", password: "test", topic: "test/" });
    const intruder = await programs.publisher({ ...chat, topic: "test/" });
    intruder.type("let me in");
    const tester = await programs.publisher({ user: "Test", password: "test", topic: "test/" });
    tester.type("Hello World");
    await own.prints("Test: Hello World");
    const teller = await programs.publisher({ ...chat, topic: "chat" });
    teller.type("for all of chat");
    await stranger.prints("chat: for all of chat");
    assert.deepEqual(reader.lines, ["subscribed"]);
    assert.deepEqual(own.lines, ["subscribed", "* Test: User Test is now subscribed to test/ .", "Test: Hello World"]);
    assert.ok(!stranger.lines.some((line) => line.includes("Hello World") || line.includes("let me in")));
    const wrong = programs.start("listener.py", { user: "chat", password: "wrong", topic: "chat" });
    await wrong.prints("Connection failed.");
  });

  test("a native user and one of SlimChat talk with guests in one room, both ways, and may read what was said", async (t) => {
    const programs = programsOf(t, newest, host);
    const topic = "chat/mixed";
    const room = { to: "room/chat.2Fmixed", id: "chat.2Fmixed" };
    const ann = await programs.listen({ ...chat, topic, name: "ann" });
    await ann.prints(`* ann: User ann is now subscribed to ${topic} .`);
    const alice = await connectAs(t, cluster, "alice", {});
    await alice.client.request(roomsJoin, { id: room.id });
    await ann.prints("* alice: alice joined");
    const bob = await slimchat(t, "bob", room.id);
    await alice.client.send(room.to, "hi from native");
    await ann.prints("alice: hi from native");
    await eventually(() => bob.heard.some((packet) => packet.content?.data === "hi from native") || undefined);
    bob.send(room.id, "hi from slimchat");
    await ann.prints("bob: hi from slimchat");
    const eve = await programs.publisher({ ...chat, topic, name: "Alice" });
    eve.type("I am alice");
    await ann.prints("Alice (guest): I am alice");
    const heard = await eventually(() => alice.shown.find((message) => textOf(message) === "I am alice"));
    assert.deepEqual([heard.from, (heard as { nick?: unknown }).nick], ["chat", "Alice (guest)"]);
    const told = await eventually(() => bob.heard.find(({ content }) => `${content?.data}`.includes("I am alice")));
    assert.deepEqual([told.from, told.content?.data], ["chat", "Alice (guest): I am alice"]);
    const carol = await connectAs(t, cluster, "carol", {});
    await carol.client.send(room.to, "no member, and heard");
    await ann.prints("carol: no member, and heard");
    assert.deepEqual(carol.shown, [], "who is no member gets nothing");
    const { createdBy, members } = await alice.client.request(roomsGet, { id: room.id });
    assert.deepEqual([createdBy, members], ["parley", 2]);
  });

  test("no guest reads another tree, another prefix or a room that is no topic, by #, +, $share or a native topic", async (t) => {
    const dave = await connectAs(t, cluster, "dave", {});
    const { conv } = await dave.client.request(roomsCreate, { id: "private", name: "Private" });
    await assert.rejects(dave.client.request(roomsCreate, { id: "chat.2Fmine", name: "Mine" }), { code: "forbidden" });
    const spies = await Promise.all(
      [
        { username: "chat", password: "chat" },
        { username: "Server", password: "admin" },
      ].map(async (login) => {
        const client = await connectAsync(`mqtt://${host}`, { ...login, protocolVersion: 4 });
        t.after(() => client.endAsync(true));
        const heard: string[] = [];
        client.on("message", (topic, payload) => heard.push(`${topic} ${payload}`));
        const filters = ["#", "+", "+/#", "$share/g/#", "im/#", "im/m/dave", "im/x/#", "private"];
        for (const filter of filters) await client.subscribeAsync(filter, { qos: 1 }).catch(() => {});
        return { client, heard };
      }),
    );
    await dave.client.send(conv, "secret");
    await dave.client.send("user/bob", "secret for bob");
    for (const { client } of spies) {
      await client.publishAsync("private", '{"type":"message","from":"x","message":"let me in"}', { qos: 1 });
      await client.publishAsync("im/u/0/dave/dave:x/msg", '{"id":"1","to":"user/bob","content":{"type":"text"}}');
      await client.publishAsync("chat/end", '{"type":"message","from":"x","message":"end"}', { qos: 1 });
    }
    for (const { heard } of spies) {
      await eventually(() => heard.filter((one) => one.startsWith("chat/end")).length >= 2 || undefined);
      assert.ok(!heard.some((one) => one.includes("secret")), heard.join("\n"));
      assert.ok(!heard.some((one) => one.startsWith("im/")), heard.join("\n"));
    }
    const shown = dave.shown.map(textOf);
    assert.ok(!shown.includes("let me in"));
    assert.ok(spies[0]!.heard.every((one) => one.startsWith("chat/")));
  });
});

function textOf({ content }: Message): unknown {
  return (content as { data?: unknown }).data;
}

interface Packet {
  from?: string;
  content?: { data?: unknown };
}

/** A device of SlimChat, by its draft: a member of the room. */
async function slimchat(t: TestContext, username: string, room: string) {
  const { client: native } = await connectAs(t, cluster, username, {});
  await native.request(roomsJoin, { id: room });
  const ask = async (path: string, body: object) => {
    const headers = { "content-type": "application/json" };
    const reply = await fetch(http + path, { method: "POST", headers, body: JSON.stringify(body) });
    assert.ok(reply.ok, `${path} ${reply.status}`);
    return reply.json() as Promise<{ clientid: string; ticket: string }>;
  };
  const object = { type: "android", appid: "livehub.io", deviceid: "a", clientid: `slim-${username}` };
  const { clientid: clientId, ticket } = await ask("/login", { username, password, ...object });
  const client = await connectAsync(`mqtt://${host}`, { clientId, username, password: ticket, protocolVersion: 4 });
  t.after(() => client.endAsync(true));
  const heard: Packet[] = [];
  client.on("message", (_, payload) => heard.push(JSON.parse(`${payload}`) as Packet));
  return {
    heard,
    send: (to: string, data: string) =>
      client.publish(
        `$IM/room/${to}`,
        JSON.stringify({ id: data, from: username, to, type: "grpchat", content: { type: "text", data } }),
        { qos: 1 },
      ),
  };
}
