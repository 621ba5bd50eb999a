// EMQX as it was seen: its boot without authentication, restarts that tell nothing, a hook that was away, a Redis that is empty.
import assert from "node:assert/strict";
import { test } from "node:test";
import { devicesList, type Revocation, subjects } from "@parley/protocol";
import { callMethod } from "@parley/runtime";
import { eventually, type TestContext } from "@parley/testkit";
import { type Presence, playBroker, startOne } from "./start.ts";

interface Client {
  connectedAt: number;
  /** connected before authentication was loaded */
  stranger?: true;
  /** when it left, unix ms: its session waits */
  leftAt?: number;
}

/** EMQX's list in its shape; what is cut is gone from it. */
async function playEmqx(t: TestContext) {
  const clients = new Map<string, Client>();
  const broker = await playBroker(t, (_, { searchParams }) => ({
    data: [...clients]
      .filter(
        ([, { leftAt }]) => searchParams.get("conn_state") === (leftAt === undefined ? "connected" : "disconnected"),
      )
      .map(([clientid, { connectedAt, stranger, leftAt }]) => ({
        clientid,
        username: clientid.split(":")[0],
        client_attrs: stranger ? {} : { p: "0", uid: clientid.split(":")[0], mp: "" },
        connected: leftAt === undefined,
        connected_at: new Date(connectedAt).toISOString(),
        ...(leftAt !== undefined && { disconnected_at: new Date(leftAt).toISOString() }),
      })),
    meta: { page: 1, limit: 1000, hasnext: false },
  }));
  const cut = () => broker.asked.filter(({ method }) => method === "DELETE").map(({ url }) => url.split("/").at(-1));
  return { url: broker.url, clients, cut };
}

async function start(t: TestContext, url: string): Promise<Awaited<ReturnType<typeof startOne>>> {
  const presence = await startOne(t, {
    PRESENCE_BROKER: "emqx",
    PRESENCE_BROKER_ADMIN_URL: url,
    PRESENCE_BROKER_API_KEY: "key:secret",
    PRESENCE_RECONCILE_SECONDS: "1",
  });
  presence.contacts.set("alice", ["bob"]).set("bob", ["alice"]);
  return presence;
}

async function online({ nats }: Presence, uid = "alice"): Promise<string[]> {
  const { devices } = await callMethod(nats, devicesList, { uid, via: "service" }, {}, { timeoutMs: 30_000 });
  return devices.filter((device) => device.online).map(({ clientId }) => clientId);
}

const longAgo = () => Date.now() - 3_600_000;

test("at EMQX's boot, what connected before authentication was loaded is nobody's session, and is cut to come again", async (t) => {
  const emqx = await playEmqx(t);
  emqx.clients.set("alice:phone", { connectedAt: longAgo(), stranger: true });
  emqx.clients.set("alice:web", { connectedAt: longAgo() });
  emqx.clients.set("router-p3", { connectedAt: longAgo(), stranger: true });
  const presence = await start(t, emqx.url);
  await eventually(() => emqx.cut().includes("alice%3Aphone"));
  await eventually(async () => (await online(presence)).length > 0);
  assert.deepEqual(await online(presence), ["alice:web"]);
  assert.ok(emqx.cut().every((clientId) => clientId === "alice%3Aphone"));
});

test("a restart of EMQX tells of no end: who did not come back is offline with the next comparison", async (t) => {
  const emqx = await playEmqx(t);
  for (const clientId of ["alice:phone", "alice:web", "bob"]) emqx.clients.set(clientId, { connectedAt: longAgo() });
  const presence = await start(t, emqx.url);
  await eventually(async () => (await online(presence)).length === 2);
  emqx.clients.delete("alice:web");
  await eventually(async () => (await online(presence)).join() === "alice:phone");
  emqx.clients.delete("alice:phone");
  await eventually(() => presence.noticesOf("alice").at(-1)?.show === "offline");
});

test("an end that was told while the hook was away is found in the list, and a late one ends no newer connection", async (t) => {
  const emqx = await playEmqx(t);
  const first = longAgo();
  emqx.clients.set("alice:phone", { connectedAt: first }).set("bob", { connectedAt: first });
  const presence = await start(t, emqx.url);
  await eventually(async () => (await online(presence)).length === 1);
  const second = Date.now();
  await presence.connect("alice:phone", { at: second - 5 });
  await presence.session("connected", "alice:phone", second);
  await presence.session("gone", "alice:phone", first);
  await presence.session("connected", "bob", second);
  assert.deepEqual(await online(presence), ["alice:phone"]);
  await presence.session("gone", "alice:phone", second);
  await eventually(async () => (await online(presence)).length === 0);
});

test("after a Redis flush who left is offline at once: by the connection's own time, which its end names", async (t) => {
  const emqx = await playEmqx(t);
  const connectedAt = longAgo();
  emqx.clients.set("alice:phone", { connectedAt }).set("bob", { connectedAt });
  const presence = await start(t, emqx.url);
  await eventually(async () => (await online(presence)).length === 1);
  await presence.redis.kill();
  await presence.redis.start();
  await eventually(async () => (await online(presence).catch(() => [])).length === 1);
  await presence.session("gone", "alice:phone", connectedAt);
  await eventually(async () => (await online(presence)).length === 0);
  await eventually(() => presence.noticesOf("alice").at(-1)?.show === "offline");
  assert.ok(emqx.clients.has("alice:phone"), "the list was not asked for it");
});

test("a device whose token was revoked is offline when the broker has ended it, though the broker tells of no end", async (t) => {
  const emqx = await playEmqx(t);
  const presence = await start(t, emqx.url);
  await presence.connect("alice:phone", { issuedAt: longAgo() / 1000 });
  assert.deepEqual(await online(presence), ["alice:phone"]);
  const now = Date.now() / 1000;
  const revocation: Revocation = { uid: "alice", clientId: "alice:phone", before: now, until: now + 60 };
  await presence.publish(subjects.revoked, revocation);
  await eventually(() => emqx.cut().includes("alice%3Aphone"));
  await eventually(async () => (await online(presence)).length === 0);
});

test("sessions whose devices are away end after an hour, and the longest away of more than 16 of a user; a router's never", async (t) => {
  const emqx = await playEmqx(t);
  const connectedAt = longAgo() - 60_000;
  const minutesAgo = (minutes: number) => Date.now() - minutes * 60_000;
  emqx.clients.set("alice:old", { connectedAt, leftAt: minutesAgo(61) });
  emqx.clients.set("alice:recent", { connectedAt, leftAt: minutesAgo(5) });
  emqx.clients.set("bob:nobody", { connectedAt, leftAt: minutesAgo(1), stranger: true });
  emqx.clients.set("router-p3", { connectedAt, leftAt: minutesAgo(600), stranger: true });
  for (let device = 1; device <= 18; device += 1)
    emqx.clients.set(`carol:${device}`, { connectedAt, leftAt: minutesAgo(device) });
  const presence = await start(t, emqx.url);
  await presence.connect("dave");
  // The list is older than that.
  emqx.clients.set("dave", { connectedAt, leftAt: minutesAgo(61) });
  const surplus = ["alice%3Aold", "bob%3Anobody", "carol%3A17", "carol%3A18"];
  await eventually(() => surplus.every((one) => emqx.cut().includes(one)));
  // It is ended by a later look, and by then all of the first one are.
  emqx.clients.set("alice:older", { connectedAt, leftAt: minutesAgo(90) });
  await eventually(() => emqx.cut().includes("alice%3Aolder"));
  assert.deepEqual(new Set(emqx.cut()), new Set([...surplus, "alice%3Aolder"]));
});

test("a device with a tree goes on with what EMQX has of its session, and one outside of its tree is cut", async (t) => {
  const mountpoint = "im/x/b/alice/app 1/";
  const broker = await playBroker(t, (_, { pathname }) =>
    pathname.endsWith("/subscriptions") ? [{ topic: `${mountpoint}a/#` }] : { data: [], meta: {} },
  );
  const presence = await start(t, broker.url);
  const tree = { owner: "user", persistent: false };
  const clientId = "app 1";
  await presence.connect(clientId, { uid: "alice", tree });
  await presence.session("connected", clientId, Date.now(), undefined, { user: "alice", persistent: true });
  const here = await eventually(() =>
    presence.trees.flatMap((one) => (one.event === "here" ? [one.tree] : [])).find(({ filters }) => filters.length > 0),
  );
  assert.deepEqual([here.filters, here.persistent, here.uid], [["a/#"], true, "alice"]);
  await presence.session("misplaced", clientId, Date.now(), undefined, { user: "alice" });
  await eventually(() => broker.asked.some(({ method, url }) => method === "DELETE" && url.endsWith("app%201")));
  assert.ok(presence.lines.some(({ event }) => event === "tree_without_mountpoint"));
});
