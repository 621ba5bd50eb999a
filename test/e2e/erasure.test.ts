// An account is erased: nothing that its user said, showed or noted is left, in what others are answered and on the disk.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { callHttp, downloadFile, type Session, uploadFile } from "@parley/client";
import {
  accountRemove,
  conversationsList,
  draftsSet,
  historyGet,
  keysCreate,
  login,
  type Method,
  messagesSend,
  messagesStar,
  type ParamsOf,
  profileUpdate,
  register,
  roomsCreate,
  roomsGet,
  rosterAdd,
  rosterList,
  searchMessages,
  usersAccount,
  usersGet,
  usersRemove,
} from "@parley/protocol";
import { readSecrets } from "@parley/runtime";
import { eventually, startTestCluster } from "@parley/testkit";
import { runParley } from "./parley.ts";
import { connectAs, password, registerAll } from "./people.ts";

const cluster = await startTestCluster({ after });
const base = () => cluster.run().http;
const sessions = new Map<string, Session>();
const as = <M extends Method>(uid: string, method: M, params: ParamsOf<M>) =>
  callHttp(base(), method, params, { token: sessions.get(uid)?.token ?? "", idempotencyKey: `${Math.random()}` });
const enter = async (...uids: string[]) => {
  await registerAll(cluster, ...uids);
  for (const username of uids)
    sessions.set(username, await callHttp(base(), login, { username, password, device: "web" }));
};
const say = (uid: string, to: string, content: object) =>
  as(uid, messagesSend, { to, content: { type: "text", ...content } });
const { servicesSecret } = readSecrets(join(cluster.dir, "secrets"));
const { key } = await callHttp(base(), keysCreate, { name: "shop" }, { token: servicesSecret });
const byKey = <M extends Method>(method: M, params: ParamsOf<M>) => callHttp(base(), method, params, { token: key });
const isErased = async (uid: string) => (await byKey(usersAccount, { uid })).state === "erased";
const withCode = (code: string) => (error: { code?: string }) => error.code === code;

/** The files below the data folder that hold the text, as it is or as JSON escapes it. */
function filesWith(text: string): string[] {
  const found = readdirSync(cluster.dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = found.map((entry) => join(entry.parentPath, entry.name));
  return paths.filter((path) => readFileSync(path).includes(text) || readFileSync(path).includes(btoa(text)));
}

test("what an erased user said is in no answer and no file any more, and the order of conversations stays", async () => {
  await enter("alice", "bob", "carol");
  const canary = "kanarienvogel";
  const words = (n: number) => ({ data: `${canary} ${n} ${"x".repeat((n * 577) % 6_000)}` });
  await as("alice", profileUpdate, { name: `${canary}name`, status: `${canary}status`, vcard: { a: `${canary}card` } });
  await as("alice", rosterAdd, { id: "bob", note: `${canary}note` });
  await as("bob", rosterAdd, { id: "alice", note: `${canary}about` });
  const room = await as("alice", roomsCreate, { name: "Room", members: ["bob", "carol"] });
  const alone = await as("alice", roomsCreate, { name: "Alone" });
  const bytes = new Blob([`${canary}file `.repeat(5_000)]);
  const [sent, shared] = [
    await uploadFile(base(), sessions.get("alice")!.token, bytes),
    await uploadFile(base(), sessions.get("alice")!.token, new Blob(["given on"])),
  ];
  for (let n = 1; n <= 40; n++) await say("alice", n % 2 ? "user/bob" : room.conv, words(n));
  await say("alice", alone.conv, words(41));
  await say("alice", "user/bob", { type: "file", file: sent.id, name: `${canary}file` });
  await say("alice", "user/bob", { type: "file", file: shared.id });
  const kept = await say("bob", "user/alice", { data: "what bob said" });
  await say("bob", room.conv, { type: "file", file: shared.id });
  await say("alice", "user/bob", { type: "reaction", seq: kept.seq, data: `${canary}ok` });
  await say("alice", "user/bob", { type: "edit", seq: 1, data: `${canary}edit` });
  await say("alice", room.conv, { data: `${canary} @all`, mentions: ["@all"] });
  await as("alice", messagesStar, { conv: kept.conv, seq: kept.seq, tags: [`${canary}tag`] });
  await as("alice", draftsSet, { conv: kept.conv, text: `${canary}draft` });
  const found = async () => (await as("bob", searchMessages, { query: canary })).results.length;
  await eventually(async () => (await found()) > 9, { timeoutMs: 60_000 });
  const before = await as("bob", historyGet, { conv: kept.conv });
  assert.ok(filesWith(canary).length > 3, filesWith(canary).join(" "));

  await assert.rejects(as("alice", accountRemove, { password: "not it at all" }), withCode("unauthenticated"));
  await as("alice", accountRemove, { password });
  await assert.rejects(callHttp(base(), login, { username: "alice", password }), withCode("unauthenticated"));
  await assert.rejects(as("alice", rosterList, {}), withCode("unauthenticated"));
  await eventually(() => isErased("alice"), { timeoutMs: 120_000 });

  const after = await as("bob", historyGet, { conv: kept.conv });
  assert.deepEqual(
    after.messages.map(({ seq, from, ts }) => [seq, from, ts]),
    before.messages.map(({ seq, from, ts }) => [seq, from, ts]),
  );
  for (const { from, content } of after.messages)
    assert.deepEqual(content, from === "alice" ? { type: "erased" } : { type: "text", data: "what bob said" });
  assert.equal(JSON.stringify(after).includes(canary), false);
  assert.equal(await found(), 0);
  const { conversations } = await as("carol", conversationsList, {});
  assert.deepEqual(
    conversations.map(({ conv, unread, unreadMentions }) => [conv, unread, unreadMentions ?? 0]),
    [[room.conv, 1, 0]],
  );
  await assert.rejects(as("bob", usersGet, { uid: "alice" }), withCode("not_found"));
  assert.deepEqual((await as("bob", rosterList, {})).contacts, []);
  assert.equal((await as("bob", roomsGet, { id: room.id })).role, "owner");
  await assert.rejects(as("carol", roomsGet, { id: alone.id }), withCode("not_found"));
  await assert.rejects(downloadFile(base(), sessions.get("bob")!.token, sent.id), withCode("not_found"));
  for (const uid of ["bob", "carol"])
    assert.equal(await (await downloadFile(base(), sessions.get(uid)!.token, shared.id)).text(), "given on");
  await assert.rejects(say("bob", "user/alice", { data: "hello?" }), withCode("not_found"));
  await assert.rejects(callHttp(base(), register, { username: "Alice", password }), withCode("conflict"));
  assert.deepEqual(filesWith(canary), [], "the canary is on the disk");
});

test("parley users remove ends the user's connections, and says when it is done; again is harmless", async (t) => {
  await enter("dora");
  const { client } = await connectAs(t, cluster, "dora");
  await client.send("user/dora", { content: { type: "text", data: "to myself" } } as never).catch(() => undefined);
  const parley = () =>
    runParley(t, { cluster, home: cluster.dir, env: { PARLEY_SERVER_KEY: key } }, ["users", "remove", "dora"]);
  assert.match((await parley()).out, /^dora {2}eras(ing|ed)\n$/);
  await eventually(() => isErased("dora"), { timeoutMs: 60_000 });
  assert.equal((await parley()).out, "dora  erased\n");
  await assert.rejects(byKey(usersRemove, { uid: "nobody" }), withCode("not_found"));
  await assert.rejects(as("bob", usersRemove, { uid: "carol" }), withCode("forbidden"));
});
