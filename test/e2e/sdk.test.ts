// The SDK on bad days: offline starts, dead links, and what changed while a device was away.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { callHttp, type Message, type ParleyEvents, startClient } from "@parley/client";
import { fileCache, fileOutbox, fileSession } from "@parley/client/node";
import { login } from "@parley/protocol";
import { eventually, startLink, startTestCluster } from "@parley/testkit";
import { connectAs, password, registerAll } from "./people.ts";

const cluster = await startTestCluster({ after });
await registerAll(cluster, "alice", "bob", "carol", "dave");

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "parley-sdk-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The cluster's HTTP and MQTT behind a network of its own. */
async function networkOf(t: TestContext) {
  const { http, mqtt } = cluster.run();
  const [web, broker] = await Promise.all([startLink(Number(new URL(http).port)), startLink(mqtt.port)]);
  t.after(() => Promise.all([web.close(), broker.close()]));
  return { web, broker, url: `http://127.0.0.1:${web.port}` };
}

test("an app that is opened offline with an expired token starts from its cache, queues, and sends when there is a network", async (t) => {
  const folder = await folderOf(t);
  const { web, broker, url } = await networkOf(t);
  const stores = () => ({
    cache: fileCache(join(folder, "cache")),
    store: fileOutbox(join(folder, "outbox")),
    sessionStore: fileSession(join(folder, "session")),
  });
  const bob = await connectAs(t, cluster, "bob");
  const session = await callHttp(url, login, { username: "alice", password, device: "phone" });
  const first = await startClient({ url, session, transport: "tcp", ...stores() });
  await first.ready;
  await first.send("user/bob", "before");
  await eventually(() => first.conversations()[0]?.messages.length === 1);
  first.markRead("p2p/alice/bob", 1);
  await first.close();

  const away = { ...session, expiresAt: Date.now() - 1_000, mqtt: { ...session.mqtt, port: broker.port } };
  await stores().sessionStore.save(away);
  web.cut();
  broker.cut();
  const shown: Message[] = [];
  const options = { url, username: "alice", password, device: "phone", transport: "tcp", ...stores() } as const;
  const client = await startClient(options, { message: (message) => shown.push(message) });
  t.after(() => client.close());
  assert.deepEqual([client.uid, client.clientId], ["alice", "alice:phone"]);
  const [conversation] = client.conversations();
  assert.deepEqual(conversation?.messages[0]?.content, { type: "text", data: "before" });
  const sent = client.send("user/bob", "written offline");
  await bob.client.send("user/alice", "meanwhile");
  assert.equal(client.unsent, 1);
  web.pass();
  broker.pass();
  client.renew();
  await sent;
  await eventually(() => bob.texts().includes("written offline"));
  await eventually(() => shown.length === 2);
  assert.ok(!shown.some(({ content }) => (content as { data?: string }).data === "before"), "shown in the run before");
});

test("renew leaves a link that swallows everything at once, and what was sent into it arrives once", async (t) => {
  const { broker } = await networkOf(t);
  const bob = await connectAs(t, cluster, "bob", { device: "desk" });
  const session = await callHttp(cluster.run().http, login, { username: "alice", password, device: "train" });
  const moved = { ...session, mqtt: { ...session.mqtt, port: broker.port } };
  const alice = await connectAs(t, cluster, "alice", { session: moved });
  broker.halfOpen();
  const before = broker.connections();
  const sent = alice.client.send("user/bob", "into the tunnel");
  alice.client.renew();
  await eventually(() => broker.connections() > before);
  broker.pass();
  await sent;
  await eventually(() => bob.texts().includes("into the tunnel"));
  assert.equal(bob.texts().filter((text) => text === "into the tunnel").length, 1);
});

test("what changed while a device was away arrives on return: marks of others and of the user's own other devices", async (t) => {
  const seen: ParleyEvents["conversation"][] = [];
  const dave = await connectAs(t, cluster, "dave");
  const desk = await connectAs(t, cluster, "carol", { device: "desk" });
  const phone = await connectAs(t, cluster, "carol", { device: "phone" });
  const mine = await phone.client.send("user/dave", "one");
  const { seq } = await dave.client.send("user/carol", "two");
  await eventually(() => phone.texts().includes("two") && desk.texts().includes("two"));
  const cursors = phone.client.cursors();
  await phone.client.close();
  desk.client.markRead(mine.conv, seq);
  dave.client.markRead(mine.conv, seq);
  await eventually(async () => {
    const back = await connectAs(t, cluster, "carol", {
      device: "phone",
      cursors,
      listeners: { conversation: (conversation) => seen.push(conversation) },
    });
    assert.deepEqual(back.shown, [], "no message is new");
    await back.client.close();
    const told = seen.findLast(({ conv }) => conv === mine.conv);
    assert.equal(told?.readSeq, seq);
    assert.equal(told?.receipts.find(({ uid }) => uid === "dave")?.read, seq);
    return true;
  });
});

test("a message that is refused for good breaks its own promise, and those behind it in the outbox go out in order", async (t) => {
  const bob = await connectAs(t, cluster, "bob", { device: "late", from: "now" });
  const folder = await folderOf(t);
  const session = await callHttp(cluster.run().http, login, { username: "alice", password, device: "outbox" });
  const client = await startClient({
    url: cluster.run().http,
    session,
    transport: "tcp",
    store: fileOutbox(join(folder, "outbox")),
  });
  t.after(() => client.close());
  const outcomes = ["first", "", "second", "third"].map((text) =>
    client.send("user/bob", text === "" ? { type: "event", data: "not ours to say" } : text),
  );
  const [first, refused, second, third] = await Promise.allSettled(outcomes);
  assert.deepEqual(
    [first?.status, refused?.status, second?.status, third?.status],
    ["fulfilled", "rejected", "fulfilled", "fulfilled"],
  );
  await eventually(() => bob.texts().includes("third"));
  assert.deepEqual(bob.texts(), ["first", "second", "third"]);
  assert.deepEqual(await fileOutbox(join(folder, "outbox")).load(), []);
});

test("a device that takes small packets only is shown every message, also those that its connection cannot carry", async (t) => {
  const alice = await connectAs(t, cluster, "alice", { device: "large" });
  const watch = await connectAs(t, cluster, "dave", { device: "watch", maximumPacketSize: 2_048, from: "now" });
  for (const size of [10, 30, 20_000]) await alice.client.send("user/dave", "x".repeat(size));
  await eventually(() => watch.shown.length === 3);
  assert.deepEqual(
    watch.texts().map((text) => `${text}`.length),
    [10, 30, 20_000],
  );
  const again = await connectAs(t, cluster, "dave", { device: "watch2", maximumPacketSize: 2_048 });
  assert.ok(
    again.texts().some((text) => `${text}`.length === 20_000),
    "by sync too",
  );
});
