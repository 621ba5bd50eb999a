import assert from "node:assert/strict";
import { after, test } from "node:test";
import { roomsCreate, roomsMembers } from "@parley/protocol";
import { callMethod } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { startHistoryProcess } from "./history-process.ts";
import { type Reply, startTestApi } from "./surroundings.ts";

const api = await startTestApi({ after });
const history = startHistoryProcess({ after }, api);
const token: Record<string, string> = {};
for (const uid of ["alice", "bob", "carol", "dave"]) token[uid] = (await api.user(uid, "web")).token;

const as = (uid: string, verb: string, path: string, json?: object, headers?: Record<string, string>) =>
  api.call(verb, path, { token: token[uid] as string, ...(json ? { json } : {}), ...(headers ? { headers } : {}) });
const create = async (uid: string, json: object): Promise<string> => {
  const { status, body } = await as(uid, "POST", "/rooms", json);
  assert.equal(status, 200, JSON.stringify(body));
  return body.id;
};
const memberUids = async (uid: string, room: string): Promise<string[]> =>
  (await as(uid, "GET", `/rooms/${room}/members`)).body.members.map((member: { uid: string }) => member.uid).sort();
const refused = ({ status, body }: Reply, expected: number, code: string) =>
  assert.deepEqual([status, body.error?.code], [expected, code], JSON.stringify(body));

test("a new room has its creator as owner and its members at once", async () => {
  const made = await as("alice", "POST", "/rooms", { name: "Tea", members: ["bob", "alice", "bob"] });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  const { id, conv, name, createdBy, settings } = made.body;
  assert.match(id, /^[a-z2-7]{12}$/);
  assert.deepEqual(
    { conv, name, createdBy, settings },
    { conv: `room/${id}`, name: "Tea", createdBy: "alice", settings: {} },
  );
  const { body } = await as("bob", "GET", `/rooms/${id}/members`);
  assert.deepEqual(body.members.map((member: { uid: string; role: string }) => [member.uid, member.role]).sort(), [
    ["alice", "owner"],
    ["bob", "member"],
  ]);
  assert.deepEqual((await as("bob", "GET", `/rooms/${id}`)).body, { ...made.body, role: "member" });
  for (const uid of ["alice", "bob"]) {
    const { body: listed } = await as(uid, "GET", "/rooms");
    assert.ok(listed.rooms.some((room: { id: string }) => room.id === id));
  }
  assert.deepEqual((await as("dave", "GET", "/rooms")).body, { rooms: [], next: null });
});

test("a room's name is composed, however it was typed", async () => {
  const { body } = await as("alice", "POST", "/rooms", { name: "Cafe\u0301" });
  assert.equal(body.name, "Caf\u00e9");
});

test("a room that is not shown to the caller is not found, as one that does not exist", async () => {
  const id = await create("alice", { name: "Closed" });
  refused(await as("dave", "GET", `/rooms/${id}`), 404, "not_found");
  refused(await as("dave", "GET", `/rooms/${id}/members`), 404, "not_found");
  refused(await as("dave", "POST", `/rooms/${id}/join`), 404, "not_found");
  for (const [verb, path] of [
    ["GET", ""],
    ["GET", "/members"],
    ["POST", "/join"],
    ["POST", "/leave"],
  ] as const)
    refused(await as("dave", verb, `/rooms/nowhere${path}`), 404, "not_found");
});

test("a room with an unknown member is not made, and the first unknown is named", async () => {
  const reply = await as("alice", "POST", "/rooms", {
    id: "ghosts",
    name: "Ghosts",
    members: ["bob", "nobody", "noone"],
  });
  refused(reply, 404, "not_found");
  assert.match(reply.body.error.message, /nobody/);
  await create("alice", { id: "ghosts", name: "Now without" });
});

test("users and rooms share one namespace", async () => {
  await create("alice", { id: "lounge", name: "Lounge" });
  refused(await as("bob", "POST", "/rooms", { id: "lounge", name: "Another" }), 409, "conflict");
  refused(await as("bob", "POST", "/rooms", { id: "alice", name: "A user's name" }), 409, "conflict");
  const json = { username: "lounge", password: "a long password" };
  refused(await api.call("POST", "/register", { json }), 409, "conflict");
});

test("the same creation sent again is the same room; the id for another creation is refused", async () => {
  const headers = { "idempotency-key": "create-1" };
  const first = await as("alice", "POST", "/rooms", { name: "Once" }, headers);
  const again = await as("alice", "POST", "/rooms", { name: "Once" }, headers);
  assert.equal(first.status, 200);
  assert.deepEqual(again.body, first.body);
  refused(await as("alice", "POST", "/rooms", { name: "Twice" }, headers), 409, "conflict");
  assert.notEqual((await as("bob", "POST", "/rooms", { name: "Once" }, headers)).body.id, first.body.id);
});

test("owners invite and remove, members may not, and a removed member is out", async () => {
  const id = await create("alice", { name: "Work", members: ["bob"] });
  refused(await as("bob", "POST", `/rooms/${id}/members`, { uids: ["carol"] }), 403, "forbidden");
  refused(await as("dave", "POST", `/rooms/${id}/members`, { uids: ["carol"] }), 404, "not_found");
  refused(await as("alice", "POST", `/rooms/${id}/members`, { uids: ["nobody"] }), 404, "not_found");
  refused(await as("alice", "POST", `/rooms/${id}/members`, { uids: [] }), 400, "invalid_packet");
  const invited = await as("alice", "POST", `/rooms/${id}/members`, { uids: ["carol", "bob"] });
  assert.deepEqual(invited.body, { seq: 2, uids: ["carol"] });
  assert.deepEqual((await as("alice", "POST", `/rooms/${id}/members`, { uids: ["bob"] })).body.uids, []);
  refused(await as("bob", "DELETE", `/rooms/${id}/members/carol`), 403, "forbidden");
  assert.deepEqual((await as("alice", "DELETE", `/rooms/${id}/members/bob`)).body, { seq: 3, uids: ["bob"] });
  assert.deepEqual(await memberUids("alice", id), ["alice", "carol"]);
  refused(await as("bob", "GET", `/rooms/${id}/members`), 403, "not_member");
  refused(await as("alice", "DELETE", `/rooms/${id}/members/bob?uids=carol`), 400, "invalid_packet");
});

test("an invitation sent again with its Idempotency-Key is done once, though the member left meanwhile", async () => {
  const id = await create("alice", { name: "Door" });
  const headers = { "idempotency-key": "invite-1" };
  const first = await as("alice", "POST", `/rooms/${id}/members`, { uids: ["bob"] }, headers);
  await as("bob", "POST", `/rooms/${id}/leave`);
  const again = await as("alice", "POST", `/rooms/${id}/members`, { uids: ["bob"] }, headers);
  assert.deepEqual(again.body, first.body);
  assert.deepEqual(await memberUids("alice", id), ["alice"]);
});

test("an open room is seen and joined by anybody, and left", async () => {
  const id = await create("alice", { name: "Market", settings: { join: "open" } });
  assert.equal((await as("dave", "GET", `/rooms/${id}`)).body.settings.join, "open");
  refused(await as("dave", "GET", `/rooms/${id}/members`), 403, "not_member");
  assert.deepEqual((await as("dave", "POST", `/rooms/${id}/join`)).body.uids, ["dave"]);
  assert.deepEqual((await as("dave", "POST", `/rooms/${id}/join`)).body.uids, []);
  assert.deepEqual(await memberUids("dave", id), ["alice", "dave"]);
  assert.deepEqual((await as("dave", "POST", `/rooms/${id}/leave`)).body.uids, ["dave"]);
  refused(await as("dave", "POST", `/rooms/${id}/leave`), 403, "not_member");
});

test("rooms by MQTT request: the same work, once for one request id", async () => {
  const caller = { uid: "carol", clientId: "carol:phone", via: "mqtt", requestId: "7" } as const;
  const ask = () => callMethod(api.nats, roomsCreate, caller, { name: "By MQTT" }, { timeoutMs: 30_000 });
  const [first, again] = await Promise.all([ask(), ask()]);
  assert.deepEqual(again, first);
  const { members } = await callMethod(api.nats, roomsMembers, caller, { id: first.id }, { timeoutMs: 30_000 });
  assert.deepEqual(
    members.map(({ uid }) => uid),
    ["carol"],
  );
});

test("a message over HTTP is stored once for its id, as its sender, and read back", async () => {
  const id = await create("alice", { name: "Talk", members: ["bob"] });
  const json = { id: "m1", to: `room/${id}`, content: { type: "text", data: "hi" }, ts: 1, device: "forged" };
  const sent = await as("alice", "POST", "/messages", json);
  assert.deepEqual([sent.status, sent.body.id, sent.body.conv, sent.body.seq], [200, "m1", `room/${id}`, 2]);
  assert.deepEqual((await as("alice", "POST", "/messages", json)).body, sent.body);
  const { body } = await as("bob", "GET", `/conversations/${encodeURIComponent(`room/${id}`)}/messages?after=1`);
  assert.equal(body.messages.length, 1);
  const { from, device, seq, content, ts } = body.messages[0];
  assert.deepEqual(
    { from, device, seq, content },
    { from: "alice", device: "alice:web", seq: 2, content: json.content },
  );
  assert.equal(ts, sent.body.ts);
});

test("a message without an id is made safe by its Idempotency-Key", async () => {
  const headers = { "idempotency-key": "message-1" };
  const json = { to: "user/bob", content: { type: "text", data: "hello" } };
  const first = await as("alice", "POST", "/messages", json, headers);
  assert.equal(first.body.conv, "p2p/alice/bob");
  assert.deepEqual((await as("alice", "POST", "/messages", json, headers)).body, first.body);
});

test("an Idempotency-Key knows numbers as they were written: another one is a conflict, the same is the same message", async () => {
  const send = (number: string, space = "") => {
    const raw = `{"to":"user/bob",${space}"content":{"type":"x-n","n":${number}}}`;
    const headers = { "idempotency-key": "numbers-1" };
    return api.call("POST", "/messages", { token: token.alice as string, raw, headers });
  };
  const first = await send("9007199254740993");
  assert.equal(first.status, 200);
  assert.deepEqual((await send("9007199254740993", " ")).body, first.body);
  for (const other of ["9007199254740992", "9007199254740993.0"]) refused(await send(other), 409, "conflict");
});

test("a message that may not be sent is refused and nothing is stored", async () => {
  const id = await create("alice", { name: "Quiet" });
  const send = (uid: string, json: object) => as(uid, "POST", "/messages", json);
  const content = { type: "text", data: "x" };
  refused(await send("bob", { to: `room/${id}`, content }), 404, "not_found");
  refused(await send("alice", { to: "user/nobody", content }), 404, "not_found");
  refused(await send("alice", { to: "nowhere/at/all", content }), 400, "invalid_packet");
  refused(await send("alice", { to: `room/${id}`, content: { type: "event" } }), 403, "forbidden");
  refused(await send("alice", { to: `room/${id}`, content: { type: "NO" } }), 400, "invalid_packet");
  refused(
    await send("alice", { to: `room/${id}`, content: { type: "text", data: { $where: 1 } } }),
    400,
    "invalid_packet",
  );
  refused(
    await send("alice", { to: `room/${id}`, content: { type: "text", data: "x".repeat(70_000) } }),
    413,
    "too_large",
  );
  refused(await send("alice", { from: "bob", to: `room/${id}`, content }), 403, "forbidden");
  const { body } = await as("alice", "GET", `/conversations/${encodeURIComponent(`room/${id}`)}/messages`);
  assert.equal(body.lastSeq, 1);
});

test("an application sends as the user it names", async () => {
  const made = await api.call("POST", "/keys", { token: api.secrets.servicesSecret, json: { name: "bot" } });
  const send = (json: object) => api.call("POST", "/messages", { token: made.body.key, json });
  const content = { type: "text", data: "from the shop" };
  const sent = await send({ from: "carol", to: "user/dave", content });
  assert.equal(sent.body.conv, "p2p/carol/dave");
  const { body } = await as("dave", "GET", `/conversations/${encodeURIComponent("p2p/carol/dave")}/messages`);
  assert.deepEqual([body.messages[0].from, body.messages[0].device], ["carol", `key:${made.body.id}`]);
  refused(await send({ to: "user/dave", content }), 400, "invalid_packet");
  refused(await send({ from: "nobody", to: "user/dave", content }), 404, "not_found");
});

test("a room whose creation was interrupted is finished by the next start", async () => {
  await history.kill();
  const pending = as("alice", "POST", "/rooms", { id: "halfway", name: "Halfway", members: ["bob"] }).catch(() => {});
  await eventually(async () => (await as("bob", "POST", "/rooms", { id: "halfway", name: "Mine" })).status === 409);
  await api.restart();
  await pending;
  refused(await as("alice", "GET", "/rooms/halfway"), 503, "unavailable");
  history.start();
  await eventually(async () => (await as("alice", "GET", "/rooms/halfway")).status === 200);
  assert.deepEqual(await memberUids("bob", "halfway"), ["alice", "bob"]);
});

test("numbers of a message come back as they were sent, also beyond 2^53 and where the body is built anew", async () => {
  const mine = token.alice as string;
  const content = '{"type":"x-n","big":9007199254740993,"list":[1.0,-0,1e400]}';
  const bodies = [
    `{"id":"n1","to":"user/alice","content":${content}}`,
    ` {"from":"alice","to":"user/alice","content":${content}}`,
  ];
  for (const raw of bodies) assert.equal((await api.call("POST", "/messages", { token: mine, raw })).status, 200);
  const ways = [
    { verb: "GET", path: `/conversations/${encodeURIComponent("p2p/alice/alice")}/messages`, found: 2 },
    { verb: "POST", path: "/sync", body: '{"cursors":{}}', found: 2 },
    { verb: "GET", path: "/conversations", found: 1 },
  ];
  for (const { verb, path, body, found } of ways) {
    const headers = { authorization: `Bearer ${mine}`, ...(body && { "content-type": "application/json" }) };
    const response = await fetch(`${api.url}${path}`, { method: verb, headers, ...(body && { body }) });
    assert.equal((await response.text()).split(`"content":${content}`).length - 1, found, path);
  }
});

test("a room change waits for a history that is starting again", async () => {
  const id = await create("alice", { name: "Patience" });
  await history.kill();
  const invited = as("alice", "POST", `/rooms/${id}/members`, { uids: ["bob"] });
  history.start();
  assert.deepEqual((await invited).body.uids, ["bob"]);
});
