// Devices with trees: which are there, what they subscribed, and how far they have their conversations.
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import {
  type CursorsReply,
  devicesList,
  devicesRemove,
  subjects,
  type Tree,
  type TreesReply,
  wasHere,
} from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import { callMethod, requestJson } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { Redis } from "ioredis";
import { playBroker, startOne } from "./start.ts";

const timeoutMs = 30_000;
const broker = await playBroker({ after }, (clients, _, names) => ({
  clients: [...clients].map(([client_id, connected_at]) => ({
    client_id,
    connection_id: names.get(client_id),
    connected_at,
    username: users.get(client_id) ?? client_id.split(":")[0],
    mountpoint: users.has(client_id) ? "im/x/" : "",
  })),
}));
/** Of listed clients with trees. */
const users = new Map<string, string>();
const presence = await startOne(
  { after },
  { PRESENCE_BROKER_ADMIN_URL: broker.url, PRESENCE_RECONCILE_SECONDS: "3600" },
);
const redis = new Redis(presence.redis.url).on("error", () => {});
after(() => redis.disconnect());
beforeEach(() => {
  presence.trees.length = 0;
});

const ask = <Answer>(subject: string, body: object) => requestJson<Answer>(presence.nats, subject, body, { timeoutMs });
const user = { owner: "user", persistent: false, clean: true };

/** The connect decision's question, then the broker's word. */
async function come(clientId: string, uid: string, connection: string, tree: object = {}, more: object = {}) {
  const reply = await presence.connect(clientId, { uid, connection, tree: { ...user, ...tree }, ...more });
  if (reply.ok) await presence.session("connected", clientId, Date.now(), connection);
  return reply;
}

const change = (clientId: string, connection: string, added: string[], removed: string[] = []) =>
  ask<object>(subjects.treeFilters, { clientId, connection, added, removed });

/** Told again while its connect is not made yet, as the edge does it. */
const subscribe = (...told: Parameters<typeof change>) => eventually(() => change(...told));

async function listed(p?: string): Promise<Tree[]> {
  const trees: Tree[] = [];
  for (let page: string | null | undefined; page !== null; ) {
    const reply: TreesReply = await ask(subjects.trees, { ...(p ? { p } : {}), ...(page ? { page } : {}) });
    trees.push(...reply.trees);
    page = reply.next;
  }
  return trees;
}

const treeOf = async (clientId: string) =>
  (await listed(ingestPartition(clientId))).find((one) => one.clientId === clientId);
const heard = (clientId: string) =>
  presence.trees.filter((one) => (one.event === "here" ? one.tree : one).clientId === clientId);
const hereOf = (clientId: string) => heard(clientId).flatMap((one) => (one.event === "here" ? [one.tree] : []));

test("routers hear of a tree when its connection is there, of each change, and of its end; the list has it meanwhile", async () => {
  const clientId = "alice/android";
  presence.accounts.set("alice", ["alice", "alice2"]);
  const more = { protocol: 4, tree: { ...user, dialect: "slim", username: "domain" } };
  assert.deepEqual(await presence.connect(clientId, { uid: "alice", connection: "c1", ...more }), {
    ok: true,
    dialect: "slim",
  });
  assert.equal(await treeOf(clientId), undefined, "it is not there yet");
  await presence.session("connected", clientId, Date.now(), "c1");
  // Where api is slow the accounts come a moment later.
  const here = await eventually(() => hereOf(clientId).find(({ accounts }) => accounts.length === 2));
  const { version, connectedAt, ...tree } = here;
  assert.ok(version > 0 && connectedAt > 0);
  const told = { p: ingestPartition(clientId), owner: "user", uid: "alice", clientId, accounts: ["alice", "alice2"] };
  const session = {
    persistent: false,
    connection: "c1",
    protocol: 4,
    dialect: "slim",
    username: "domain",
    filters: [],
  };
  assert.deepEqual(tree, { ...told, ...session });
  await subscribe(clientId, "c1", ["$IM/#", "a/+"]);
  const heardOf = hereOf(clientId).at(-1)?.filters.toSorted();
  assert.deepEqual(heardOf, ["$IM/#", "a/+"], "before the device is told that it has subscribed");
  await subscribe(clientId, "c1", [], ["a/+"]);
  await ask(subjects.treeDialect, { clientId, dialect: "other" });
  const latest = await eventually(() => hereOf(clientId).find(({ dialect }) => dialect === "other"));
  assert.deepEqual(latest.filters, ["$IM/#"]);
  const versions = hereOf(clientId).map((one) => one.version);
  assert.ok(Math.max(...versions) === latest.version && latest.version > version);
  assert.deepEqual(await treeOf(clientId), latest);
  await presence.session("gone", clientId, Date.now(), "c1");
  const gone = await eventually(() => heard(clientId).find(({ event }) => event === "gone"));
  assert.ok(gone.event === "gone" && gone.version > latest.version && gone.connection === "c1" && gone.uid === "alice");
  assert.equal(await treeOf(clientId), undefined);
  const { devices } = await callMethod(presence.nats, devicesList, { uid: "alice", via: "service" }, {}, { timeoutMs });
  assert.deepEqual(
    devices.map((one) => [one.clientId, one.dialect, one.online]),
    [[clientId, "other", false]],
  );
});

test("the end of an older connection ends no newer tree, and a connect that never came takes nothing from the one that is there", async () => {
  await come("tak/1", "alice", "old");
  await subscribe("tak/1", "old", ["x"]);
  await presence.connect("tak/1", { uid: "alice", connection: "never", tree: user });
  assert.deepEqual((await treeOf("tak/1"))?.filters, ["x"]);
  assert.deepEqual(await subscribe("tak/1", "old", ["y"]), {});
  assert.deepEqual((await treeOf("tak/1"))?.filters.sort(), ["x", "y"]);
  await come("tak/1", "alice", "new");
  await eventually(async () => (await treeOf("tak/1"))?.connection === "new");
  assert.deepEqual((await treeOf("tak/1"))?.filters, [], "a clean session");
  await presence.session("gone", "tak/1", Date.now(), "old");
  assert.deepEqual(await subscribe("tak/1", "old", ["z"]), {}, "of a connection that is no more");
  await subscribe("tak/1", "new", ["w"]);
  assert.deepEqual([(await treeOf("tak/1"))?.connection, (await treeOf("tak/1"))?.filters], ["new", ["w"]]);
  await presence.session("gone", "tak/1", Date.now(), "new");
  await eventually(async () => (await treeOf("tak/1")) === undefined);
});

test("what is told of a connection in any order makes the same tree", async () => {
  const connect = { uid: "alice", connection: "c1", tree: user };
  await presence.connect("order/1", connect);
  await subscribe("order/1", "c1", ["before"]);
  assert.deepEqual((await treeOf("order/1"))?.filters, ["before"], "subscribed before its connection was told of");
  await presence.session("connected", "order/1", Date.now(), "c1");
  await eventually(() => hereOf("order/1").length > 1);
  assert.deepEqual((await treeOf("order/1"))?.filters, ["before"]);
  const at = Date.now();
  await presence.session("connected", "order/2", at, "c2", { user: "alice" });
  await eventually(async () => (await redis.hget("presence:user:alice", "order/2")) !== null);
  await presence.connect("order/2", { ...connect, connection: "c2", at: at - 5 });
  await eventually(() => hereOf("order/2").length > 0);
  await presence.session("gone", "order/3", Date.now(), "c3", { user: "alice" });
  await eventually(async () => (await redis.exists("presence:ended:order/3")) === 1);
  await presence.connect("order/3", { ...connect, connection: "c3" });
  await presence.session("connected", "order/3", Date.now(), "c3", { user: "alice" });
  await presence.session("connected", "order/1", Date.now(), "c1");
  assert.equal(await treeOf("order/3"), undefined, "an end that overtook its begin");
  await assert.rejects(change("order/3", "c3", ["x"]), { code: "unavailable" });
  const late = Date.now();
  await presence.session("connected", "order/4", late, "c4", { user: "alice" });
  await eventually(async () => (await redis.hget("presence:user:alice", "order/4")) !== null);
  await assert.rejects(change("order/4", "c4", ["x"]), { code: "unavailable" }, "its tree is to come");
  assert.deepEqual(await change("order/4", "c0", ["y"]), {}, "of a connection before");
  await presence.session("connected", "order/5", late - 31_000, "c5", { user: "alice" });
  await eventually(async () => (await redis.hget("presence:user:alice", "order/5")) !== null);
  assert.deepEqual(await change("order/5", "c5", ["x"]), {}, "its connect was lost long ago");
  await presence.connect("order/4", { ...connect, connection: "c4", at: late - 5 });
  await subscribe("order/4", "c4", ["x"]);
  assert.deepEqual((await treeOf("order/4"))?.filters, ["x"]);
});

test("a device that keeps its session goes on with what it had subscribed, unless it begins anew or the broker has lost it", async () => {
  const kept = { persistent: true, clean: false };
  await come("keep/1", "alice", "c1", { ...kept, clean: true }, { protocol: 5 });
  await subscribe("keep/1", "c1", ["a", "b"]);
  await ask(subjects.treeDialect, { clientId: "keep/1", dialect: "other" });
  await presence.session("offline", "keep/1", Date.now(), "c1");
  await eventually(async () => (await treeOf("keep/1")) === undefined);
  await redis.flushall();
  const reply = await come("keep/1", "alice", "c2", kept);
  assert.ok(reply.ok && reply.dialect === "other");
  assert.deepEqual(reply.filters?.toSorted(), ["a", "b"]);
  const again = await eventually(() => hereOf("keep/1").find(({ connection }) => connection === "c2"));
  assert.deepEqual([again.filters.sort(), again.dialect, again.persistent], [["a", "b"], "other", true]);
  await presence.session("offline", "keep/1", Date.now(), "c2");
  await presence.connect("keep/1", { uid: "alice", connection: "c3", tree: { ...user, ...kept } });
  await presence.session("connected", "keep/1", Date.now(), "c3", { present: false });
  await eventually(() =>
    hereOf("keep/1").some(({ connection, filters }) => connection === "c3" && filters.length === 0),
  );
  await subscribe("keep/1", "c3", ["c"]);
  // The broker's word is told again where its answer was late: what was subscribed since stays.
  const toldAgain = { event: "connected", clientId: "keep/1", at: Date.now(), connection: "c3", present: false };
  await ask(subjects.sessionEvent, toldAgain);
  assert.deepEqual((await treeOf("keep/1"))?.filters, ["c"]);
  await presence.session("offline", "keep/1", Date.now(), "c3");
  await come("keep/1", "alice", "c4", { ...kept, clean: true });
  await eventually(() =>
    hereOf("keep/1").some(({ connection, filters }) => connection === "c4" && filters.length === 0),
  );
  await presence.session("offline", "keep/1", Date.now(), "c4");
  await come("keep/1", "alice", "c5", kept);
  const last = await eventually(() => hereOf("keep/1").find(({ connection }) => connection === "c5"));
  assert.deepEqual(last.filters, []);
});

test("a device with a tree is told who of its user's contacts is online when it hears, once a connection", async () => {
  presence.contacts.set("gina", ["hugo"]);
  await presence.connect("hugo:phone");
  const told = (clientId: string) => presence.told.filter(({ device }) => device?.clientId === clientId).length;
  await come("gina/late", "gina", "c1");
  await come("gina/1", "gina", "c2");
  await subscribe("gina/1", "c2", ["a"]);
  await eventually(() => told("gina/1") === 1);
  assert.equal(told("gina/late"), 0, "it would hear nothing of it");
  await subscribe("gina/late", "c1", ["a"]);
  await subscribe("gina/1", "c2", ["b"]);
  await eventually(() => told("gina/late") === 1);
  assert.equal(told("gina/1"), 1);
});

test("a client id is the first user's that has it; whoever a client id names is asked for, and no guest has a user's", async () => {
  presence.users.add("bob");
  const refused = { ok: false, reason: "owned_by_another" };
  assert.deepEqual(await come("mine", "alice", "c1"), { ok: true });
  assert.deepEqual(await come("mine", "bob", "c2"), refused);
  for (const clientId of ["bob", "bob/", "bob:phone"]) {
    assert.deepEqual(await come(clientId, "alice", "c1"), refused, clientId);
    const guest = { owner: "guest" };
    assert.deepEqual(await come(clientId, "chat", "c1", guest), refused, clientId);
  }
  for (const clientId of ["bob", "bob/", "bob:phone"])
    assert.deepEqual(await come(clientId, "bob", "c1"), { ok: true });
  assert.deepEqual(await presence.connect("bob", { uid: "bob" }), { ok: true }, "without a tree");
  assert.deepEqual(await come("nobody_yet", "alice", "c1"), { ok: true });
  assert.deepEqual(await presence.connect("nobody_yet", { uid: "nobody_yet" }), refused);
  for (const owner of ["guest", "anonymous"])
    assert.deepEqual(await come("mine", owner === "guest" ? "chat" : "", "c3", { owner }), refused, owner);
  const expired = { expired: true, dialect: "phones" };
  assert.deepEqual(await come("mine", "alice", "c4", expired), { ok: false, reason: "unknown_device" });
  assert.deepEqual(await come("never/seen", "alice", "c4", expired), { ok: false, reason: "unknown_device" });
  await come("phone_1", "alice", "c1", { dialect: "phones" });
  assert.deepEqual(await come("phone_1", "alice", "c4", expired), { ok: true, dialect: "phones" });
  await eventually(() => hereOf("phone_1").some((tree) => tree.expired === true && tree.connection === "c4"));
});

test("of guests, of nobody and of client ids that were made up nothing stays, and their coming is told to nobody's contacts", async () => {
  presence.contacts.set("chat", ["bob"]).set("bob", ["chat"]);
  await come("chat:0a", "chat", "c1", { owner: "guest", prefix: "chat/", assigned: true });
  await come("reg_1", "", "c1", { owner: "anonymous" });
  await come("guest:0b", "carol", "c1", { assigned: true });
  const guest = await eventually(() => hereOf("chat:0a")[0]);
  assert.deepEqual([guest.owner, guest.uid, guest.prefix, guest.accounts], ["guest", "chat", "chat/", []]);
  await eventually(() => hereOf("reg_1")[0]?.owner === "anonymous" && hereOf("guest:0b").length > 0);
  assert.deepEqual(presence.noticesOf("chat"), []);
  assert.deepEqual(await redis.keys("presence:told:~*"), []);
  for (const clientId of ["chat:0a", "reg_1", "guest:0b"]) {
    await subscribe(clientId, "c1", ["x"]);
    await ask(subjects.treeCursors, { keep: [{ clientId, cursors: { "room/r": 3 } }] });
    assert.deepEqual(await ask(subjects.treeCursors, { clientId }), { cursors: null, next: null });
    await presence.session("gone", clientId, Date.now(), "c1");
    await eventually(async () => (await treeOf(clientId)) === undefined);
  }
  assert.deepEqual(await redis.keys("presence:user:~*"), []);
  const { devices } = await callMethod(presence.nats, devicesList, { uid: "carol", via: "service" }, {}, { timeoutMs });
  assert.deepEqual(devices, []);
});

test("which accounts a device may act for follows its login, also where api answers only later", async () => {
  presence.silent.accounts = true;
  await come("acc/1", "dave", "c1");
  assert.deepEqual((await eventually(() => hereOf("acc/1")[0])).accounts, ["dave"]);
  presence.accounts.set("dave", ["dave", "dave2"]);
  presence.silent.accounts = false;
  await eventually(() => hereOf("acc/1").at(-1)?.accounts.length === 2);
  presence.accounts.set("dave", ["dave"]);
  await presence.publish(subjects.accountsChanged, { uids: ["dave", "dave2"] });
  await eventually(() => hereOf("acc/1").at(-1)?.accounts.length === 1);
});

test("cursors only move forward, all of 10,000 conversations are answered, and go with the device", async () => {
  await come("cur/1", "erin", "c1");
  const keep = (cursors: Record<string, number>) =>
    ask(subjects.treeCursors, { keep: [{ clientId: "cur/1", cursors }] });
  const all = async (clientId = "cur/1") => {
    const cursors: Record<string, number> = {};
    let isKnown = false;
    for (let page: string | null | undefined; page !== null; ) {
      const reply: CursorsReply = await ask(subjects.treeCursors, { clientId, ...(page ? { page } : {}) });
      isKnown ||= reply.cursors !== null;
      Object.assign(cursors, reply.cursors);
      page = reply.next;
    }
    return isKnown ? cursors : null;
  };
  assert.equal(await all(), null);
  await Promise.all([keep({ "room/a": 5, "p2p/erin/frank": 0 }), keep({ "room/a": 9 }), keep({ "room/a": 7 })]);
  await keep({ "room/a": 8 });
  assert.deepEqual(await all(), { "room/a": 9, "p2p/erin/frank": 0 });
  for (let from = 0; from < 10_000; from += 1_000)
    await keep(Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`room/${from + n}`, from + n + 1])));
  const kept = await all();
  assert.equal(Object.keys(kept ?? {}).length, 10_002);
  assert.equal(kept?.["room/9999"], 10_000);
  for (const bad of [{ "room/a": -1 }, { "room/a": 1.5 }, { nowhere: 1 }])
    await assert.rejects(keep(bad), { code: "invalid_packet" });
  const caller = { uid: "erin", via: "http" } as const;
  await callMethod(presence.nats, devicesRemove, caller, { clientId: "cur/1" }, { timeoutMs });
  assert.equal(await all(), null);
  await eventually(() => heard("cur/1").some(({ event }) => event === "gone"));
  assert.ok(broker.asked.some(({ method, url }) => method === "DELETE" && url.endsWith("cur%2F1")));
  await keep({ "room/a": 10 });
  assert.equal(await all(), null, "a router that has not heard of it yet");
});

test("an erased user's devices with trees end, and nobody has a cursor of a conversation that names it", async () => {
  await come("er/1", "gina", "c1", { persistent: true });
  await come("er/2", "hugo", "c1", { persistent: true });
  await come("er/3", "hugo", "c1", { persistent: true });
  const keep = (clientId: string) => ({ clientId, cursors: { "p2p/gina/hugo": 4, "room/r": 2 } });
  await ask(subjects.treeCursors, { keep: [keep("er/1"), keep("er/2")] });
  await ask(subjects.treeCursors, { keep: [{ clientId: "er/3", cursors: { [wasHere]: 0, "p2p/gina/hugo": 4 } }] });
  await ask(subjects.eraseDevices, { uid: "gina" });
  assert.deepEqual(await ask(subjects.treeCursors, { clientId: "er/1" }), { cursors: null, next: null });
  assert.deepEqual(await ask(subjects.treeCursors, { clientId: "er/2" }), { cursors: { "room/r": 2 }, next: null });
  assert.deepEqual(await ask(subjects.treeCursors, { clientId: "er/3" }), { cursors: {}, next: null });
  assert.deepEqual([await treeOf("er/1"), (await treeOf("er/2"))?.uid], [undefined, "hugo"]);
});

test("a device with a thousand filters more than are kept is taken to have subscribed all", async () => {
  await come("many/1", "alice", "c1");
  const filters = Array.from({ length: 1_001 }, (_, n) => `t/${n}`);
  await subscribe("many/1", "c1", filters.slice(0, 1_000));
  assert.equal((await treeOf("many/1"))?.filters.length, 1_000);
  await subscribe("many/1", "c1", filters.slice(1_000));
  assert.deepEqual((await treeOf("many/1"))?.filters, ["#"]);
});

test("the list is page by page within one answer's bytes, of one partition or of all", async () => {
  const filters = Array.from({ length: 300 }, (_, n) => `${"x".repeat(300)}/${n}`);
  const ids = Array.from({ length: 12 }, (_, n) => `page/${n}`);
  for (const clientId of ids) {
    await come(clientId, "alice", "c1");
    await subscribe(clientId, "c1", filters);
  }
  const first: TreesReply = await ask(subjects.trees, {});
  assert.notEqual(first.next, null);
  const all = (await listed()).map(({ clientId }) => clientId);
  assert.equal(new Set(all).size, all.length);
  assert.deepEqual(all.filter((one) => one.startsWith("page/")).sort(), ids.toSorted());
  const parts = await Promise.all([..."0123456789abcdef"].map((p) => listed(p)));
  assert.deepEqual(
    parts.flat().map(({ clientId }) => clientId),
    all,
  );
});

test("after Redis was lost, whose session is kept goes on with it, and every other device with a tree comes again", async (t) => {
  const clock = 1_000_000;
  users.set("lost/kept", "alice").set("lost/late", "alice").set("lost/clean", "alice").set("lost/guest", "~chat");
  for (const clientId of users.keys()) {
    broker.clients.set(clientId, clientId === "lost/late" ? Date.now() : Date.now() - clock);
    broker.names.set(clientId, `${clientId} now`);
  }
  await come(
    "lost/kept",
    "alice",
    "lost/kept now",
    { persistent: true, dialect: "slim", username: "u" },
    { protocol: 5 },
  );
  await subscribe("lost/kept", "lost/kept now", ["kept"]);
  await come("lost/late", "alice", "lost/late now", { persistent: true });
  await subscribe("lost/late", "lost/late now", ["late"]);
  await come("lost/clean", "alice", "lost/clean now");
  await come("lost/guest", "chat", "lost/guest now", { owner: "guest" });
  await redis.flushall();
  t.after(() => users.clear());
  await ask(subjects.treeDialect, { clientId: "lost/late", dialect: "other" });
  const tree = await eventually(() => treeOf("lost/kept"));
  assert.deepEqual([tree.filters, tree.dialect, tree.username, tree.protocol], [["kept"], "slim", "u", 5]);
  assert.equal(tree.connection, "lost/kept now");
  const cut = () => broker.asked.filter(({ method }) => method === "DELETE").map(({ url }) => url.split("/").at(-1));
  await eventually(() => cut().includes("lost%2Fclean") && cut().includes("lost%2Fguest"));
  assert.ok(!cut().includes("lost%2Fkept"));
  const late = await eventually(() => treeOf("lost/late"), { timeoutMs: 30_000 });
  assert.deepEqual(
    [late.filters, late.dialect],
    [["late"], "other"],
    "it had only just come, and said so while it was lost",
  );
});
