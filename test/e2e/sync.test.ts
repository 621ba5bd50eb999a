import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { callHttp, connectParley, startClient } from "@parley/client";
import { fileOutbox } from "@parley/client/node";
import { historyGet, login, logout, roomsCreate, roomsInvite, roomsRemove } from "@parley/protocol";
import { eventually, startTestCluster } from "@parley/testkit";
import { connectAs, password, registerAll } from "./people.ts";
import { openStock } from "./stock.ts";

const cluster = await startTestCluster({ after });
await registerAll(cluster, "alice", "bob", "carol", "dave", "erin", "frank");
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

test("a device that was away gets by sync exactly what its cursors lack, over many pages and conversations", async (t) => {
  const alice = await connectAs(t, cluster, "alice");
  const bob = await connectAs(t, cluster, "bob");
  const room = await alice.client.request(roomsCreate, { name: "Many", members: ["bob", "carol"] });
  await alice.client.send("user/bob", "seen");
  await eventually(() => bob.texts().includes("seen"));
  const cursors = bob.client.cursors();
  await bob.client.close();
  await Promise.all(range(1, 450).map((n) => alice.client.send("user/bob", `p${n}`)));
  await Promise.all(range(1, 30).map((n) => alice.client.send(`room/${room.id}`, `r${n}`)));
  const back = await connectAs(t, cluster, "bob", { cursors });
  assert.equal(back.client.state, "online");
  const of = (conv: string) => back.shown.filter((message) => message.conv === conv && message.content.type === "text");
  const p2p = of("p2p/alice/bob").map(({ seq }) => seq);
  assert.deepEqual(p2p, range((cursors["p2p/alice/bob"] ?? 0) + 1, (cursors["p2p/alice/bob"] ?? 0) + 450));
  assert.deepEqual(
    of(room.conv).map(({ content }) => (content as { data?: unknown }).data),
    range(1, 30).map((n) => `r${n}`),
  );
  const again = await connectAs(t, cluster, "bob", { device: "other", cursors: back.client.cursors() });
  assert.deepEqual(again.shown, [], "whoever lacks nothing is shown nothing");
});

test("a client that starts now is shown nothing of before, and everything from then on", async (t) => {
  const alice = await connectAs(t, cluster, "alice");
  await alice.client.send("user/dave", "before");
  const dave = await connectAs(t, cluster, "dave", { from: "now" });
  assert.deepEqual(dave.shown, []);
  await alice.client.send("user/dave", "after");
  await eventually(() => dave.shown.length > 0);
  assert.deepEqual(dave.texts(), ["after"]);
});

test("a removed member gets nothing that was stored after its removal: not live, by sync or by history", async (t) => {
  const alice = await connectAs(t, cluster, "alice");
  const carol = await connectAs(t, cluster, "carol", { from: "now" });
  const room = await alice.client.request(roomsCreate, { name: "Secret", members: ["carol", "bob"] });
  const bob = await connectAs(t, cluster, "bob", { from: "now" });
  await alice.client.send(`room/${room.id}`, "for carol too");
  await eventually(() => carol.texts().includes("for carol too"));
  await alice.client.request(roomsRemove, { id: room.id, uids: ["carol"] });
  await alice.client.send(`room/${room.id}`, "not for carol");
  await eventually(() => bob.texts().includes("not for carol"));
  await assert.rejects(carol.client.send(`room/${room.id}`, "let me in"), { code: "not_member" });
  const later = await connectAs(t, cluster, "carol", { device: "later" });
  const seen = [...carol.texts(), ...later.texts()];
  assert.ok(seen.includes("for carol too") && !seen.includes("not for carol"));
  const history = await carol.client.request(historyGet, { conv: room.conv }).catch(({ code }) => code);
  assert.ok(!JSON.stringify(history).includes("not for carol"));
  await alice.client.request(roomsInvite, { id: room.id, uids: ["carol"] });
  await alice.client.send(`room/${room.id}`, "welcome back");
  await eventually(() => carol.texts().includes("welcome back"));
  assert.ok(!carol.texts().includes("not for carol"), "what lay between two stays stays unseen");
});

test("messages written without a connection are kept in the outbox file and sent, in order, by the next start", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "parley-outbox-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const store = () => fileOutbox(join(folder, "erin.jsonl"));
  const options = { url: cluster.run().http, username: "erin", password, device: "kept" };
  await cluster.stopPart("edge");
  const offline = await startClient({ ...options, store: store() });
  let refused = 0;
  for (const n of range(1, 20)) offline.send("user/frank", `m${n}`).catch(() => refused++);
  await eventually(() => offline.unsent === 20);
  await offline.close();
  assert.equal(refused, 0, "they go out later: no promise says that they never will");
  await cluster.startPart("edge");
  await cluster.waitReady("edge");
  const sent: string[] = [];
  const erin = await connectAs(t, cluster, "erin", {
    device: "kept",
    store: store(),
    listeners: { sent: ({ id }) => sent.push(id) },
  });
  const frank = await connectAs(t, cluster, "frank");
  await eventually(() => sent.length === 20 && frank.shown.length === 20);
  assert.deepEqual(
    frank.texts(),
    range(1, 20).map((n) => `m${n}`),
  );
  assert.equal(erin.client.unsent, 0);
  await erin.client.close();
  assert.deepEqual(await store().load(), []);
});

for (const part of ["router", "history", "edge", "mosquitto", "nats-server"] as const)
  test(`what is sent while ${part} is killed is acknowledged, stored once, in order, and shown once`, async (t) => {
    const erin = await connectAs(t, cluster, "erin", { device: `during-${part}` });
    const frank = await connectAs(t, cluster, "frank", { device: `during-${part}`, from: "now" });
    const texts = range(1, 200).map((n) => `${part} ${n}`);
    const sending = texts.map((data) => erin.client.send("user/frank", data));
    await sending[20];
    await cluster.kill(part);
    const acks = await Promise.all(sending);
    const seqs = acks.map(({ seq }) => seq);
    assert.deepEqual(seqs, range(seqs[0] ?? 0, (seqs[0] ?? 0) + 199), "one after the other, no gap");
    await eventually(() => frank.shown.length >= 200);
    assert.deepEqual(frank.texts(), texts);
  });

test("a second program on the same device takes over, and the first one is told and stays away", async (t) => {
  const refusals: string[] = [];
  const first = await connectAs(t, cluster, "dave", {
    device: "one",
    listeners: { refused: ({ code }) => refusals.push(code) },
  });
  const second = await connectAs(t, cluster, "dave", {
    device: "one",
    listeners: { refused: () => refusals.push("second") },
  });
  await eventually(() => refusals.length > 0);
  await eventually(() => second.client.state === "online");
  assert.deepEqual(refusals, ["conflict"]);
  assert.equal(first.client.state, "offline");
});

test("a client that was taken over once comes back by itself, and has missed nothing", async (t) => {
  const refusals: string[] = [];
  const alice = await connectAs(t, cluster, "alice", { device: "watching" });
  const listeners = { refused: ({ code }: { code: string }) => refusals.push(code) };
  const erin = await connectAs(t, cluster, "erin", { device: "one", from: "now", listeners });
  const session = await callHttp(cluster.run().http, login, { username: "erin", password, device: "one" });
  // As an earlier connection of its own would that comes late.
  const late = await openStock(t, session, { reconnectPeriod: 0, protocolVersion: 5 });
  await alice.client.send("user/erin", "while it was away");
  await late.client.endAsync(true);
  await alice.client.send("user/erin", "and behind that");
  await eventually(() => erin.texts().includes("and behind that"));
  assert.deepEqual(erin.texts(), ["while it was away", "and behind that"]);
  assert.deepEqual(refusals, []);
  assert.equal(erin.client.state, "online");
});

test("a renewed token means a new connection, and nothing is lost or shown twice on the way", async (t) => {
  const alice = await connectAs(t, cluster, "alice", { device: "renewing" });
  const bob = await connectAs(t, cluster, "bob", { device: "renewing", from: "now" });
  const states: string[] = [];
  alice.client.on("state", (state) => states.push(state));
  const texts = range(1, 100).map((n) => `renewed ${n}`);
  const sending = texts.map((data) => alice.client.send("user/bob", data));
  await sending[10];
  alice.client.renew();
  bob.client.renew();
  await Promise.all(sending);
  await eventually(() => bob.shown.length >= 100 && states.includes("online"));
  assert.deepEqual(bob.texts(), texts);
  assert.deepEqual(states, ["offline", "connecting", "syncing", "online"]);
});

test("a client whose session the server no longer knows logs in again, or says that it cannot", async (t) => {
  const url = cluster.run().http;
  const stale = { ...(await callHttp(url, login, { username: "carol", password, device: "stale" })) };
  await callHttp(url, logout, {}, { token: stale.token });
  await assert.rejects(connectParley({ url, session: stale }), { code: "unauthenticated" });
  const back = await connectAs(t, cluster, "carol", { device: "stale", session: stale });
  assert.equal(back.client.state, "online");
  await assert.rejects(connectParley({ url, username: "carol", password: "wrong" }), { code: "unauthenticated" });
  await assert.rejects(connectParley({ url: "http://127.0.0.1:9", username: "carol", password }), {
    code: "unavailable",
  });
});
