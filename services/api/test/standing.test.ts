// Users who are disabled by an application with a server key, and enabled again.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { subjects } from "@parley/protocol";
import { requestJson } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { startHistoryProcess } from "./history-process.ts";
import { password, type Reply, startTestApi } from "./surroundings.ts";

const api = await startTestApi({ after });
startHistoryProcess({ after }, api);
const made = await api.call("POST", "/keys", { token: api.secrets.servicesSecret, json: { name: "shop" } });
const key: string = made.body.key;
for (const uid of ["alice", "bob", "carol"]) await api.user(uid, "web");
const token: Record<string, string> = {};
for (const uid of ["alice", "bob", "carol"]) token[uid] = (await api.logIn(uid, "phone")).token;

const as = (uid: string, verb: string, path: string, json?: object) =>
  api.call(verb, path, { token: token[uid] as string, ...(json ? { json } : {}) });
const byKey = (verb: string, path: string, json?: object) =>
  api.call(verb, path, { token: key, ...(json && { json }) });
const say = (to: string) => ({ to, content: { type: "text", data: "hello" } });
const answer = ({ status, body }: Reply) => [status, body.error?.code ?? body.state];
await eventually(async () => (await as("alice", "POST", "/sync", {})).status === 200, { timeoutMs: 60_000 });

test("who is disabled is let in by no door, and others are told that there is no such user", async () => {
  const session = await api.logIn("alice", "tablet");
  assert.equal((await as("alice", "POST", "/messages", say("user/bob"))).status, 200);
  await as("carol", "GET", "/users/alice");
  assert.deepEqual(answer(await byKey("POST", "/users/alice/disable")), [200, "disabled"]);
  assert.deepEqual(answer(await byKey("GET", "/users/alice/account")), [200, "disabled"]);

  for (const spent of [session.token, token.alice as string])
    assert.equal((await api.call("POST", "/sync", { token: spent, json: {} })).status, 401);
  const wrong = await api.call("POST", "/login", { json: { username: "alice", password: "not it at all" } });
  const right = await api.call("POST", "/login", { json: { username: "alice", password } });
  assert.deepEqual(right.body, wrong.body, "the right password tells nothing");
  assert.equal((await api.call("POST", "/refresh", { json: { refreshToken: session.refreshToken } })).status, 401);
  assert.deepEqual(answer(await byKey("POST", "/users/alice/login", {})), [404, "not_found"]);
  assert.deepEqual(answer(await byKey("POST", "/messages", { from: "alice", ...say("user/bob") })), [404, "not_found"]);
  const asked = { username: "alice", password };
  assert.deepEqual(await requestJson(api.nats, subjects.verifyPassword, asked, { timeoutMs: 30_000 }), { ok: false });
  assert.deepEqual(await requestJson(api.nats, subjects.ensureUser, { uid: "alice" }, { timeoutMs: 30_000 }), {
    ok: false,
  });

  const nobody = async (verb: string, path: (uid: string) => string, json?: (uid: string) => object) => {
    const [one, other] = [
      await as("carol", verb, path("alice"), json?.("alice")),
      await as("carol", verb, path("nobody"), json?.("nobody")),
    ];
    assert.equal(JSON.stringify(one.body), JSON.stringify(other.body).replaceAll("nobody", "alice"), path("alice"));
    assert.equal(one.status, other.status);
  };
  await nobody("GET", (uid) => `/users/${uid}`);
  await nobody("GET", (uid) => `/users?query=${uid}`);
  await nobody(
    "POST",
    () => "/roster",
    (id) => ({ id }),
  );
  await nobody(
    "POST",
    () => "/messages",
    (uid) => say(`user/${uid}`),
  );
  await nobody(
    "POST",
    () => "/rooms",
    (uid) => ({ name: "room", members: [uid] }),
  );
  assert.deepEqual(answer(await api.call("POST", "/register", { json: { username: "alice", password } })), [
    409,
    "conflict",
  ]);
  assert.deepEqual(answer(await byKey("POST", "/users", { uid: "Alice" })), [409, "conflict"]);
});

test("who is enabled again has everything it had, and logs in anew", async () => {
  assert.deepEqual(answer(await byKey("POST", "/users/alice/enable")), [200, "active"]);
  assert.deepEqual(answer(await byKey("POST", "/users/alice/enable")), [200, "active"], "again is harmless");
  assert.equal((await as("alice", "POST", "/sync", {})).status, 401, "what was revoked stays so");
  token.alice = (await api.logIn("alice", "phone")).token;
  const { body } = await as("alice", "POST", "/sync", {});
  assert.equal(body.conversations[0].conv, "p2p/alice/bob");
  assert.equal((await as("alice", "POST", "/messages", say("user/bob"))).body.seq, 2);
  assert.equal((await as("carol", "POST", "/messages", say("user/alice"))).body.seq, 1);
});

test("users are disabled and enabled by server keys alone", async () => {
  for (const path of ["/users/bob/disable", "/users/bob/enable"]) {
    assert.deepEqual(answer(await as("carol", "POST", path)), [403, "forbidden"]);
    assert.deepEqual(answer(await api.call("POST", path, {})), [401, "unauthenticated"]);
  }
  assert.deepEqual(answer(await byKey("POST", "/users/nobody/disable")), [404, "not_found"]);
  assert.deepEqual(answer(await byKey("GET", "/users/nobody/account")), [404, "not_found"]);
  assert.deepEqual(answer(await byKey("POST", "/users/bob/disable", { why: "spam" })), [400, "invalid_packet"]);
  assert.equal((await as("bob", "POST", "/sync", {})).status, 200);
});

test("who is disabled is one account: the others of its login go on, and its owner sees which it is", async () => {
  const logIn = (json: object) => api.call("POST", "/login", { json: { password, ...json } });
  assert.equal((await as("carol", "POST", "/accounts", { uid: "carol.two" })).status, 200);
  const two = (await logIn({ username: "carol.two" })).body.token as string;
  assert.deepEqual(answer(await byKey("POST", "/users/carol.two/disable")), [200, "disabled"]);
  assert.equal((await api.call("POST", "/sync", { token: two, json: {} })).status, 401);
  assert.equal((await as("carol", "POST", "/sync", {})).status, 200);
  assert.equal((await logIn({ username: "carol.two" })).status, 401);
  assert.equal((await logIn({ username: "carol.two", account: "carol" })).status, 401);
  assert.deepEqual(answer(await logIn({ username: "carol", account: "carol.two" })), [404, "not_found"]);
  const { accounts } = (await as("carol", "GET", "/accounts")).body;
  assert.deepEqual(
    accounts.map(({ uid, state }: { uid: string; state: string }) => [uid, state]),
    [
      ["carol", "active"],
      ["carol.two", "disabled"],
    ],
  );
  assert.deepEqual(answer(await byKey("POST", "/users/carol.two/enable")), [200, "active"]);
  assert.equal((await logIn({ username: "carol", account: "carol.two" })).body.uid, "carol.two");
});
