// kill -9 of the real history and the real api between the halves of a room's change.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type LogRequest, subjects, unpackStoredEntries } from "@parley/protocol";
import { conversationPartition } from "@parley/protocol/partition";
import { connectNats, request } from "@parley/runtime";
import { eventually, serviceContext } from "@parley/testkit";
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
    await history.died();
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
    await history.died();
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

for (const point of ["before-expiry", "before-timer-removed"] as const)
  test(`a message whose time is over when history dies ${point} is ended once, by the next one`, async () => {
    const id = await make();
    await history.kill();
    history.start(point);
    const say = (data: string, more = {}) =>
      as("alice", "POST", "/messages", { to: `room/${id}`, content: { type: "text", data }, ...more });
    const { seq } = (await say("brief", { expires: 1 })).body;
    await history.died();
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
