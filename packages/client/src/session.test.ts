import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { deviceTopics } from "@parley/protocol";
import { fileSession } from "./file-session.ts";
import { openSessions, type SessionOptions } from "./session.ts";
import type { Session } from "./session-store.ts";
import { type SessionStore, storageSession } from "./session-store.ts";
import { storageOf } from "./storage-of.ts";

const sessionOf = (refreshToken: string, expiresAt = Date.now() + 3_600_000): Session => ({
  uid: "alice",
  token: `token of ${refreshToken}`,
  refreshToken,
  expiresAt,
  clientId: "alice:web",
  mqtt: { host: "127.0.0.1", port: 1, ws: "ws://127.0.0.1:1/mqtt", username: "alice", password: "" },
  topics: deviceTopics("5", "alice", "alice:web"),
});

// A server whose refresh tokens work once, as Parley's do after their 30 s.
async function serverOf(t: TestContext) {
  const asked: string[] = [];
  let good = "r1";
  const server = createServer(async (request, response) => {
    const { refreshToken } = (await json(request)) as { refreshToken?: string };
    asked.push(`${request.url} ${refreshToken ?? ""}`);
    if (request.url === "/refresh" && refreshToken !== good)
      return response.writeHead(401).end('{"error":{"code":"unauthenticated","message":"used"}}');
    good = `r${Number(good.slice(1)) + 1}`;
    return response.end(JSON.stringify(sessionOf(good)));
  }).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function open(t: TestContext, options: Partial<SessionOptions>) {
  const sessions = await openSessions({ url: "http://127.0.0.1:9", onSession() {}, onRenewed() {}, ...options });
  t.after(sessions.close);
  return sessions;
}

function memoryStore(session?: Session): SessionStore {
  const store = storageSession(storageOf(), "x");
  if (session) void store.save(session);
  return store;
}

test("a session that was kept needs no server to start from, though it has run out", async (t) => {
  const expired = sessionOf("r1", Date.now() - 1_000);
  for (const options of [{ session: expired }, { store: memoryStore(expired) }])
    assert.equal((await open(t, options)).current().clientId, "alice:web");
  const credentials = { username: "Alice", password: "x", device: "web" };
  assert.equal((await open(t, { store: memoryStore(expired), credentials })).current().uid, "alice");
});

test("a token that has run out is renewed before a connection is made with it, and kept before that", async (t) => {
  const { asked, url } = await serverOf(t);
  const store = memoryStore(sessionOf("r1", Date.now() - 1_000));
  const sessions = await open(t, { url, store });
  assert.equal((await sessions.fresh()).refreshToken, "r2");
  assert.equal((await store.load())?.refreshToken, "r2");
  assert.equal((await sessions.fresh()).refreshToken, "r2");
  assert.deepEqual(asked, ["/refresh r1"]);
});

test("what is kept for another user, account or device is not used", async (t) => {
  const { asked, url } = await serverOf(t);
  const named = { username: "alice.smith", password: "x", account: "alice", device: "web" };
  await open(t, { url, store: memoryStore(sessionOf("r1")), credentials: named });
  assert.deepEqual(asked, [], "it is this account's");
  for (const credentials of [
    { username: "alice", password: "x", account: "shop", device: "web" },
    { username: "bob", password: "x", device: "web" },
    { username: "alice", password: "x", device: "phone" },
  ])
    await open(t, { url, store: memoryStore(sessionOf("r1")), credentials });
  assert.deepEqual(asked, ["/login ", "/login ", "/login "]);
});

test("four tabs that renew at once, or late, use each refresh token once and end with the same session", async (t) => {
  const { asked, url } = await serverOf(t);
  const store = memoryStore(sessionOf("r1", Date.now() - 1_000));
  const tabs = await Promise.all([1, 2, 3, 4].map(() => open(t, { url, store })));
  await Promise.all(tabs.slice(0, 3).map((tab) => tab.renew()));
  await tabs[3]?.fresh();
  assert.deepEqual(new Set(tabs.map((tab) => tab.current().refreshToken)), new Set(["r2"]));
  assert.deepEqual(asked, ["/refresh r1"]);
});

test("a refresh token that another program has used up is no reason to log in anew", async (t) => {
  const { asked, url } = await serverOf(t);
  const store = memoryStore();
  const sessions = await open(t, { url, session: sessionOf("r0"), store });
  const raced: SessionStore = store;
  await assert.rejects(sessions.renew(), { code: "unauthenticated" });
  await raced.save(sessionOf("r7"));
  assert.equal((await sessions.renew()).refreshToken, "r7");
  assert.deepEqual(asked, ["/refresh r0"]);
});

test("a file keeps the session for its owner alone, and junk in it is no session", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "parley-session-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const store = fileSession(join(folder, "deeper", "session.json"));
  assert.equal(await store.load(), undefined);
  await store.save(sessionOf("r1"));
  assert.equal((await store.load())?.refreshToken, "r1");
  assert.equal((await stat(join(folder, "deeper", "session.json"))).mode & 0o777, 0o600);
  for (const junk of ["", "{", '{"uid":"alice"}', "null"])
    assert.equal(await storageSession(storageOf(new Map([["parley-session/x", junk]])), "x").load(), undefined, junk);
});
