// kill -9 of the real history and the real api between the halves of a room's change.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type LogRequest, type RemoveRequest, subjects, unpackStoredEntries } from "@parley/protocol";
import { conversationPartition } from "@parley/protocol/partition";
import { answerJson, connectNats, request } from "@parley/runtime";
import { openStore } from "@parley/store";
import { eventually, serviceContext } from "@parley/testkit";
import { newProfile } from "../src/people/profiles.ts";
import { openApiStore } from "../src/store.ts";
import { startApiProcess } from "./api-process.ts";
import { startHistoryProcess } from "./history-process.ts";
import { password, type Reply } from "./surroundings.ts";

const api = await startApiProcess({ after });
await api.start();
const history = startHistoryProcess({ after }, api);
const token: Record<string, string> = {};
for (const username of ["alice", "bob", "carol"]) {
  await api.call("POST", "/register", { json: { username, password } });
  token[username] = (await api.call("POST", "/login", { json: { username, password } })).body.token;
}

let keys = 0;
const newKey = () => `key-${keys++}`;
/** Sent again, with the same key, until somebody lives who answers. */
async function as(uid: string, verb: string, path: string, json?: object, key = newKey()): Promise<Reply> {
  const headers: Record<string, string> = verb === "GET" ? {} : { "idempotency-key": key };
  const call = () => api.call(verb, path, { token: token[uid] as string, ...(json && { json }), headers });
  let reply: Reply | undefined;
  await eventually(
    async () => {
      reply = await call().catch(() => undefined);
      return reply !== undefined && reply.status !== 503;
    },
    { timeoutMs: 60_000 },
  );
  return reply as Reply;
}
const make = async (): Promise<string> =>
  (await as("alice", "POST", "/rooms", { name: "Room", members: ["bob", "carol"] })).body.id;
const read = async (uid: string, id: string) =>
  (await as(uid, "GET", `/conversations/${encodeURIComponent(`room/${id}`)}/messages`)).body.messages as {
    seq: number;
    content: { type: string; data: { event?: string } };
    recalled?: { expired?: boolean };
  }[];
const eventsOf = async (uid: string, id: string) => (await read(uid, id)).map(({ content }) => content.data.event);

for (const point of ["before-change", "before-structure", "before-change-reply"] as const) {
  test(`a ban in which history dies ${point} is made once, and holds for all`, async () => {
    const id = await make();
    await history.kill();
    history.start(point);
    const asked = as("alice", "POST", `/rooms/${id}/bans`, { uids: ["bob"] });
    assert.equal(await history.died(), "SIGKILL");
    history.start();
    assert.deepEqual((await asked).body.uids, ["bob"]);
    const { seq } = (
      await as("alice", "POST", "/messages", { to: `room/${id}`, content: { type: "text", data: "after" } })
    ).body;
    assert.deepEqual(await eventsOf("carol", id), ["create", "ban", undefined]);
    assert.ok((await read("bob", id)).every((message) => message.seq < seq));
    assert.equal((await as("carol", "GET", `/rooms/${id}`)).body.members, 2);
    assert.equal((await as("bob", "GET", `/rooms/${id}`)).status, 403);
  });

  test(`a deletion in which history dies ${point} is made once, and leaves nothing to read`, async () => {
    const id = await make();
    await as("bob", "POST", "/messages", { to: `room/${id}`, content: { type: "text", data: "secret" } });
    // Nothing of before is folded again: the next start has the deletion alone to know its members by.
    await history.stop();
    history.start(point);
    const asked = as("alice", "DELETE", `/rooms/${id}`);
    assert.equal(await history.died(), "SIGKILL");
    history.start();
    assert.equal((await asked).body.seq, 3);
    for (const uid of ["alice", "bob", "carol"]) assert.deepEqual(await eventsOf(uid, id), ["delete"]);
    assert.equal((await as("bob", "GET", `/rooms/${id}`)).status, 404);
    const sent = await as("bob", "POST", "/messages", { to: `room/${id}`, content: { type: "text", data: "more" } });
    assert.equal(sent.status, 404);
  });
}

test("a deletion that history dies on before it is made, and that nobody asks for again, takes nothing from the room", async () => {
  const say = (id: string, data: string) =>
    as("bob", "POST", "/messages", { to: `room/${id}`, content: { type: "text", data } });
  const id = await make();
  await say(id, "kept");
  await history.stop();
  history.start("before-change");
  let isDead = false;
  const died = history.died().then(() => {
    isDead = true;
  });
  const headers = { "idempotency-key": newKey() };
  const ask = () =>
    api.call("DELETE", `/rooms/${id}`, { token: token.alice as string, headers }).catch(() => undefined);
  while (!isDead) await Promise.race([ask(), died]);
  await api.kill();
  history.start();
  await api.start();
  const other = await make();
  await say(other, "swept");
  await as("alice", "DELETE", `/rooms/${other}`);
  const nats = await connectNats({ url: api.natsServer.url, name: "test", log: serviceContext("test").log });
  const logged = async (room: string, text: string) => {
    const asked: LogRequest = { q: conversationPartition(`room/${room}`), after: 0, limit: 500 };
    const entries = unpackStoredEntries(
      await request(nats, subjects.log, JSON.stringify(asked), { timeoutMs: 10_000 }),
    );
    return entries.some((entry) => entry && Buffer.from(entry.body).includes(text));
  };
  await eventually(async () => !(await logged(other, "swept")), { timeoutMs: 60_000 });
  assert.ok(await logged(id, "kept"));
  await nats.close();
  assert.equal((await as("bob", "GET", `/rooms/${id}`)).body.members, 3);
  assert.equal((await read("carol", id)).length, 2);
});

for (const point of ["before-room-emptied:2", "before-room-forgotten"] as const)
  test(`a deleted room in whose emptying history dies ${point} is emptied to its end by the next one, and no other room`, async (t) => {
    const nats = await connectNats({ url: api.natsServer.url, name: "test", log: serviceContext("test").log });
    t.after(() => nats.close());
    const [id, other] = [await make(), await make()];
    // Rooms of earlier tests are forgotten too, now that search answers.
    const forgotten = { [id]: new Set<number>(), [other]: new Set<number>() };
    answerJson<RemoveRequest>(nats, subjects.removeFromSearch, "search", ({ conv, seqs }) => {
      for (const seq of seqs) forgotten[conv.slice("room/".length)]?.add(seq);
      return {};
    });
    const say = (room: string, data: string) =>
      as("bob", "POST", "/messages", { to: `room/${room}`, content: { type: "text", data } });
    // More than one step empties.
    for (let n = 0; n < 250; n += 10) await Promise.all(Array.from({ length: 10 }, () => say(id, "canary")));
    await say(other, "canary");
    await history.kill();
    history.start(point);
    await as("alice", "DELETE", `/rooms/${id}`);
    assert.equal(await history.died(), "SIGKILL");
    history.start();
    const said = async (room: string) => {
      const q = conversationPartition(`room/${room}`);
      const asked: LogRequest = { q, after: 0, limit: 500 };
      const reply = await request(nats, subjects.log, JSON.stringify(asked), { timeoutMs: 10_000 });
      const own = unpackStoredEntries(reply).filter((entry) => entry?.conv === `room/${room}`);
      return own.filter((entry) => entry && Buffer.from(entry.body).includes("canary")).length;
    };
    await eventually(async () => (await said(id)) === 0 && forgotten[id]?.size === 251, { timeoutMs: 60_000 });
    assert.deepEqual([forgotten[other]?.size, await said(other)], [0, 1]);
    for (const uid of ["alice", "bob"]) assert.deepEqual(await eventsOf(uid, id), ["delete"]);
  });

for (const point of ["before-expiry", "before-timer-removed"] as const)
  test(`a message whose time is over when history dies ${point} is ended once, by the next one`, async () => {
    const id = await make();
    await history.kill();
    history.start(point);
    const say = (data: string, more = {}) =>
      as("alice", "POST", "/messages", { to: `room/${id}`, content: { type: "text", data }, ...more });
    const { seq } = (await say("brief", { expires: 1 })).body;
    assert.equal(await history.died(), "SIGKILL");
    history.start();
    await eventually(
      async () => (await read("bob", id)).find((message) => message.seq === seq)?.recalled?.expired === true,
      { timeoutMs: 60_000 },
    );
    await say("after");
    await history.stop();
    history.start();
    const types = (await read("bob", id)).map(({ content }) => content.type);
    assert.deepEqual(types, ["event", "erased", "recall", "text"]);
  });

test("a change that api dies on, once it is made, is answered when it is asked for again, and made once", async () => {
  const id = await make();
  await api.kill();
  await api.start("before-room-reply");
  const banned = as("alice", "POST", `/rooms/${id}/bans`, { uids: ["bob"] }, "ban");
  assert.equal(await api.died(), "SIGKILL");
  await api.start();
  assert.deepEqual((await banned).body.uids, ["bob"]);
  assert.deepEqual(await eventsOf("alice", id), ["create", "ban"]);
});

test("an invite link that api dies on is the same one when it is asked for again, and is good", async () => {
  const id = await make();
  await as("carol", "POST", `/rooms/${id}/leave`);
  await api.kill();
  await api.start("before-room-reply");
  const made = as("alice", "POST", `/rooms/${id}/links`, { uses: 1 }, "link");
  assert.equal(await api.died(), "SIGKILL");
  await api.start();
  const { link } = (await made).body;
  assert.equal((await as("alice", "GET", `/rooms/${id}/links`)).body.links.length, 1);
  assert.deepEqual((await as("carol", "POST", `/rooms/${id}/join`, { link })).body.uids, ["carol"]);
});

const crowd = Array.from({ length: 2_500 }, (_, n) => `crowd-${n}`);

/** Their accounts; nobody logs in to them. */
async function keepCrowd(): Promise<void> {
  await api.kill();
  const opened = await openStore(`sqlite:${api.folder}/data`, { service: "api" });
  const { users, profiles } = await openApiStore(opened.documents());
  const user = { passwordHash: null, name: null, createdAt: 1, kind: "user", madeBy: "x" } as const;
  await users.put(crowd.map((uid) => ({ key: uid, doc: { uid, ...user } })));
  await profiles.put(crowd.map((uid) => ({ key: uid, doc: newProfile(uid, null) })));
  await opened.close();
}

const isWhole = (id: string) =>
  eventually(async () => (await as("alice", "GET", `/rooms/${id}`)).body.members === crowd.length + 1, {
    timeoutMs: 60_000,
  });

test("a room of thousands in whose making api dies is made to its end by the next one, though nobody asks again", async () => {
  await keepCrowd();
  await api.start("before-room-part:2");
  const headers = { "idempotency-key": newKey() };
  const json = { id: "crowded", name: "Crowd", members: crowd };
  const asked = api.call("POST", "/rooms", { token: token.alice!, json, headers });
  await Promise.all([assert.rejects(asked), api.died()]);
  assert.equal(await api.died(), "SIGKILL");
  await api.start();
  await isWhole("crowded");
  assert.deepEqual(await eventsOf("alice", "crowded"), ["create", "invite", "invite"]);
});

test("a room of thousands in whose making history dies is made once", async () => {
  await history.stop();
  history.start("before-structure:2");
  const made = as("alice", "POST", "/rooms", { id: "crowded-2", name: "Crowd", members: crowd });
  assert.equal(await history.died(), "SIGKILL");
  history.start();
  assert.equal((await made).body.id, "crowded-2");
  await isWhole("crowded-2");
  assert.deepEqual(await eventsOf("alice", "crowded-2"), ["create", "invite", "invite"]);
});
