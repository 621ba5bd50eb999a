// The SDK on bad days: offline starts, dead links, and what changed while a device was away.
import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import {
  type AppError,
  type CacheStore,
  type ClientOptions,
  callHttp,
  indexedCache,
  indexedOutbox,
  type Message,
  type ParleyEvents,
  startClient,
} from "@parley/client";
import { fileCache, fileOutbox, fileSession } from "@parley/client/node";
import { historyGet, login } from "@parley/protocol";
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

/** Each answers an app's stores, as every start of it opens them. */
const appStores: Record<string, (t: TestContext) => Promise<() => Pick<ClientOptions, "cache" | "store">>> = {
  async files(t) {
    const folder = await folderOf(t);
    return () => ({ cache: fileCache(join(folder, "cache")), store: fileOutbox(join(folder, "outbox")) });
  },
  async IndexedDB() {
    const name = crypto.randomUUID();
    return () => ({ cache: indexedCache(name), store: indexedOutbox(name) });
  },
};

for (const [kind, open] of Object.entries(appStores))
  test(`an app that is opened offline with an expired token starts from its ${kind}, queues, and sends each message once when there is a network`, async (t) => {
    const device = `phone-${kind.toLowerCase()}`;
    const { web, broker, url } = await networkOf(t);
    const stores = await open(t);
    const sessionStore = fileSession(join(await folderOf(t), "session"));
    const bob = await connectAs(t, cluster, "bob", { device, from: "now" });
    const session = await callHttp(url, login, { username: "alice", password, device });
    const first = await startClient({ url, session, transport: "tcp", from: "now", ...stores() });
    await first.ready;
    await first.send("user/bob", "before");
    await eventually(() => first.conversation("p2p/alice/bob")?.messages.length === 1);
    const { cursor: seq } = first.conversation("p2p/alice/bob") ?? { cursor: 0 };
    first.markRead("p2p/alice/bob", seq);
    await first.close();

    await sessionStore.save({
      ...session,
      expiresAt: Date.now() - 1_000,
      mqtt: { ...session.mqtt, port: broker.port },
    });
    web.cut();
    broker.cut();
    const shown: Message[] = [];
    const sent: string[] = [];
    const start = async () => {
      const options = {
        url,
        username: "alice",
        password,
        device,
        transport: "tcp",
        sessionStore,
        ...stores(),
      } as const;
      const listeners = {
        message: (message: Message) => void shown.push(message),
        sent: ({ id }: { id: string }) => void sent.push(id),
      };
      const client = await startClient(options, listeners);
      t.after(() => client.close());
      return client;
    };
    const texts = ["written offline", "after a restart", "after another"];
    const queued: string[][] = [];
    for (const text of texts) {
      const client = await start();
      assert.deepEqual([client.uid, client.clientId], ["alice", `alice:${device}`]);
      assert.deepEqual(client.conversation("p2p/alice/bob")?.messages.at(-1)?.content, {
        type: "text",
        data: "before",
      });
      void client.send("user/bob", text);
      queued.push(client.unsentMessages().map(({ id }) => id));
      assert.deepEqual(queued.at(-1)?.slice(0, -1), queued.at(-2) ?? [], "with the ids that they had");
      await client.close();
    }
    await bob.client.send("user/alice", "meanwhile");
    const client = await start();
    web.pass();
    broker.pass();
    client.renew();
    await eventually(() => sent.length === texts.length && bob.texts().includes("after another"));
    assert.deepEqual(sent, queued.at(-1));
    assert.deepEqual(bob.texts(), ["before", "meanwhile", ...texts], "once each, in order");
    await eventually(() => shown.length === 1 + texts.length);
    assert.ok(!shown.some((message) => message.seq <= seq), "shown in the run before");
    const { messages } = await client.request(historyGet, { conv: "p2p/alice/bob", after: seq });
    assert.deepEqual(
      messages.map(({ content }) => (content as { data?: string }).data).sort(),
      [...texts, "meanwhile"].sort(),
    );
    await client.close();
    assert.deepEqual(await stores().store?.load(), []);
  });

test("an app that starts again asks for what changed since its last sync, which its cache remembers", async (t) => {
  const stores = (await appStores.files?.(t)) as () => { cache: CacheStore };
  const dave = await connectAs(t, cluster, "dave", { device: "since" });
  const told: ParleyEvents["conversation"][] = [];
  const options = {
    device: "pad",
    listeners: { conversation: (one: ParleyEvents["conversation"]) => void told.push(one) },
  };
  const start = (more: Partial<ClientOptions> = {}) => {
    told.length = 0;
    return connectAs(t, cluster, "carol", { ...options, ...stores(), ...more });
  };
  const { conv, seq } = await dave.client.send("user/carol", "hello");
  const first = await start();
  await eventually(() => first.texts().includes("hello"));
  await first.client.close();
  const { syncedAt } = await stores().cache.load();
  assert.ok(Number.isSafeInteger(syncedAt));
  dave.client.markRead(conv, seq);
  await eventually(async () => {
    const again = await start();
    await again.client.close();
    assert.equal(told.findLast((one) => one.conv === conv)?.receipts.find(({ uid }) => uid === "dave")?.read, seq);
    return true;
  });
  const { state } = (await stores().cache.load()).conversations.find((one) => one.conv === conv) ?? {};
  assert.equal(state?.receipts.find(({ uid }) => uid === "dave")?.read, seq);

  const later = Date.now() + 3_600_000;
  await stores().cache.load();
  const cache = stores().cache;
  await cache.load();
  await cache.put({ conversations: [], mostMessages: 50, syncedAt: later });
  const quiet = await start();
  assert.equal(told.length, 0, "nothing has changed since then");
  assert.equal(quiet.client.conversation(conv)?.state?.lastSeq, seq);
  await quiet.client.close();
  const { cache: untouched } = stores();
  await untouched.load();
  await untouched.put({ conversations: [], mostMessages: 50, syncedAt: later });
  await (await start({ cursors: { [conv]: seq } })).client.close();
  assert.ok(
    told.some((one) => one.conv === conv),
    "cursors of the application's own may lack what the cache has",
  );
});

test("an app whose stores are refused is told so, and goes on in memory", async (t) => {
  const refuse = () => Promise.reject(new DOMException("not in private windows", "SecurityError"));
  const told: AppError[] = [];
  const { client } = await connectAs(t, cluster, "dave", {
    device: "private",
    cache: { load: refuse, put: refuse },
    store: { load: refuse, put: refuse, remove: refuse },
    listeners: { error: (error) => void told.push(error) },
  });
  assert.deepEqual(told.map(({ code, details }) => `${code} ${details?.reason}`).sort(), [
    "unavailable cache",
    "unavailable outbox",
  ]);
  assert.ok(told.every(({ message }) => message.includes("SecurityError: not in private windows")));
  const { conv, seq } = await client.send("user/carol", "all the same");
  await eventually(() => client.conversation(conv)?.cursor === seq);
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
    client.send("user/bob", text === "" ? { type: "recall", seq: 1_000_000 } : text),
  );
  const [first, refused, second, third] = await Promise.allSettled(outcomes);
  assert.deepEqual(
    [first?.status, refused?.status, second?.status, third?.status],
    ["fulfilled", "rejected", "fulfilled", "fulfilled"],
  );
  await eventually(() => bob.texts().includes("third"));
  assert.deepEqual(bob.texts(), ["first", "second", "third"]);
  await client.close();
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
