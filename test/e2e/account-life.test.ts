// The life of an account: all that is kept of it is exported; and it is erased: nothing that its user said, showed or noted is left, in
// what others are answered and on the disk.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { callHttp, downloadFile, exportAccount, type Session, uploadFile } from "@parley/client";
import {
  accountRemove,
  aliasesAdd,
  conversationsList,
  draftsSet,
  historyGet,
  keysCreate,
  login,
  type Method,
  messagesDelete,
  messagesSchedule,
  messagesSend,
  messagesStar,
  type ParamsOf,
  profileUpdate,
  pushRegister,
  pushUpdateSettings,
  register,
  roomsCreate,
  roomsGet,
  roomsLeave,
  rosterAdd,
  rosterList,
  searchMessages,
  usersAccount,
  usersGet,
  usersRemove,
} from "@parley/protocol";
import { readSecrets } from "@parley/runtime";
import { eventually, startTestCluster } from "@parley/testkit";
import { strFromU8, unzipSync } from "fflate";
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
  const [sent, shared, planned] = [
    await uploadFile(base(), sessions.get("alice")!.token, bytes),
    await uploadFile(base(), sessions.get("alice")!.token, new Blob(["given on"])),
    await uploadFile(base(), sessions.get("alice")!.token, new Blob(["given on later"])),
  ];
  for (let n = 1; n <= 40; n++) await say("alice", n % 2 ? "user/bob" : room.conv, words(n));
  await say("alice", alone.conv, words(41));
  await say("alice", "user/bob", { type: "file", file: sent.id, name: `${canary}file` });
  await say("alice", "user/bob", { type: "file", file: shared.id });
  const kept = await say("bob", "user/alice", { data: "what bob said" });
  await say("bob", room.conv, { type: "file", file: shared.id });
  await say("alice", room.conv, { type: "file", file: planned.id });
  const later = { to: "user/bob", content: { type: "file", file: planned.id } };
  await as("carol", messagesSchedule, { at: Date.now() + 86_400_000, message: later });
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
  await assert.rejects(downloadFile(base(), sessions.get("bob")!.token, planned.id), withCode("not_found"));
  assert.equal(await (await downloadFile(base(), sessions.get("carol")!.token, planned.id)).text(), "given on later");
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

/** What is in a ZIP: JSON by lines, whatever else as bytes. */
function readZip(zip: ArrayBuffer | Buffer) {
  const entries = unzipSync(new Uint8Array(zip));
  const text = (path: string) => strFromU8(entries[path]!);
  return {
    paths: Object.keys(entries),
    bytes: (path: string) => Buffer.from(entries[path]!),
    json: (path: string) => JSON.parse(text(path)),
    rows: (path: string) =>
      text(path)
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line)),
  };
}
const exportOf = async (uid: string) => exportAccount(base(), sessions.get(uid)!.token);

test("an export has all that is kept of a user, what the user may read, and nothing of anybody else", async (t) => {
  await enter("eve", "fred", "gina");
  const [own, foreign] = [randomBytes(300_000), new Blob(["fred's file"])];
  const sent = await uploadFile(base(), sessions.get("eve")!.token, new Blob([own]), { name: "../a picture.bin" });
  await uploadFile(base(), sessions.get("fred")!.token, foreign);
  await as("eve", profileUpdate, { name: "Eve", vcard: { tel: "1" } });
  await as("eve", rosterAdd, { id: "fred", note: "a friend" });
  await as("eve", aliasesAdd, { alias: "evening" });
  const token = `fcm:${randomBytes(24).toString("hex")}`;
  await as("eve", pushRegister, { kind: "fcm", token, appId: "com.example.chat" });
  await as("eve", pushUpdateSettings, { preview: "name" });
  const room = await as("fred", roomsCreate, { name: "Left", members: ["eve"] });
  await say("fred", room.conv, { data: "before" });
  await as("eve", roomsLeave, { id: room.id });
  await say("fred", room.conv, { data: "after eve left" });
  await say("fred", "user/gina", { data: "not eve's" });
  for (let n = 1; n <= 60; n++) await say("eve", "user/fred", { data: `said ${n}`, more: "x".repeat(6_000) });
  const { client } = await connectAs(t, cluster, "eve");
  await say("eve", "user/fred", { type: "file", file: sent.id });
  await say("eve", "user/fred", { type: "edit", seq: 60, data: "said otherwise" });
  const conv = "p2p/eve/fred";
  await as("eve", messagesStar, { conv, seq: 7, tags: ["seven"] });
  await as("eve", messagesDelete, { conv, seqs: [9] });
  await as("eve", draftsSet, { conv, text: "begun" });
  const [at, text] = [Date.now() + 3_600_000, { type: "text", data: "later" }];
  const later = await as("eve", messagesSchedule, {
    at,
    message: { to: "user/fred", content: text },
  });

  const answer = await exportOf("eve");
  assert.match(
    answer.headers.get("content-disposition") ?? "",
    /^attachment; filename="parley-eve-\d{4}-\d\d-\d\d\.zip"$/,
  );
  const zip = readZip(await answer.arrayBuffer());
  assert.equal(zip.paths.at(-1), "manifest.json");
  const { entries, ...manifest } = zip.json("manifest.json");
  assert.deepEqual(
    { ...manifest, begunAt: 0, endedAt: 0 },
    { format: "parley-export", version: 1, uid: "eve", begunAt: 0, endedAt: 0, files: 1 },
  );
  for (const { path, rows } of entries) assert.equal(zip.rows(path).length, rows, path);
  const profile = zip.json("profile.json");
  assert.deepEqual([profile.uid, profile.name, profile.vcard], ["eve", "Eve", { tel: "1" }]);
  assert.deepEqual(
    zip.rows("roster.jsonl").map(({ id, note }) => [id, note]),
    [["fred", "a friend"]],
  );
  assert.deepEqual(zip.rows("aliases.jsonl"), [{ alias: "evening" }]);
  assert.deepEqual(
    zip.rows("devices.jsonl").map(({ clientId }) => clientId),
    [client.clientId, sessions.get("eve")!.clientId],
  );
  assert.deepEqual(
    zip.rows("push.jsonl").map(({ clientId, token }) => [clientId, token]),
    [[sessions.get("eve")!.clientId, `…${token.slice(-6)}`]],
  );
  assert.deepEqual(zip.json("push-settings.json"), { preview: "name", mentions: true, dndUntil: null });
  assert.ok(
    !zip.paths.some((path) => zip.bytes(path).includes(token)),
    "whoever has the file cannot notify the device",
  );
  assert.deepEqual(
    zip.rows("drafts.jsonl").map(({ text }) => text),
    ["begun"],
  );
  assert.deepEqual(
    zip.rows("stars.jsonl").map(({ seq, tags }) => [seq, tags]),
    [[7, ["seven"]]],
  );
  assert.deepEqual(
    zip.rows("scheduled.jsonl").map(({ id }) => id),
    [later.id],
  );
  assert.deepEqual([zip.rows("rooms.jsonl"), zip.rows("invitations.jsonl")], [[], []]);
  const conversations = new Map(zip.rows("conversations.jsonl").map((row) => [row.conv, row]));
  assert.deepEqual([...conversations.keys()].sort(), [conv, room.conv].sort());
  const messages = zip.rows(conversations.get(conv).messages);
  const shown = messages.filter(({ content }) => content.type === "text");
  assert.deepEqual(
    shown.map(({ content }) => content.data),
    Array.from({ length: 60 }, (_, n) => `said ${n + 1}`).toSpliced(8, 1),
  );
  assert.equal(shown.at(-1).edited.content.data, "said otherwise");
  const ofRoom = zip.rows(conversations.get(room.conv).messages);
  assert.deepEqual(
    ofRoom.filter(({ content }) => content.type === "text").map(({ content }) => content.data),
    ["before"],
  );
  const files = zip.rows("files.jsonl");
  assert.deepEqual(
    files.map(({ id, name, size, hash }) => ({ id, name, size, hash })),
    [{ id: sent.id, name: "a picture.bin", size: 300_000, hash: sent.hash }],
  );
  assert.deepEqual(zip.bytes(files[0].path), own);
  await assert.rejects(exportAccount(base(), key), withCode("forbidden"));
});

test("a user has one export at once; one whose connection is cut ends, and makes room for the next", async (t) => {
  const large = randomBytes(20_000_000);
  await uploadFile(base(), sessions.get("eve")!.token, new Blob([large]), { name: "large.bin" });
  const cut = new AbortController();
  const unread = await exportAccount(base(), sessions.get("eve")!.token, { signal: cut.signal });
  assert.equal(unread.status, 200);
  await assert.rejects(exportOf("eve"), withCode("rate_limited"));
  const other = await exportOf("fred");
  assert.ok(readZip(await other.arrayBuffer()).paths.includes("manifest.json"));
  cut.abort();
  await eventually(async () => {
    const again = await exportOf("eve").catch(() => undefined);
    await again?.body?.cancel();
    return again !== undefined;
  });
  const path = join(cluster.dir, "eve.zip");
  await eventually(async () => {
    const { code, out } = await runParley(t, { cluster, home: cluster.dir }, ["export", path, "--user", "eve"]);
    if (code === 0) assert.match(out, /eve\.zip {2}\d+ bytes\n$/);
    return code === 0;
  });
  const zip = readZip(readFileSync(path));
  const file = zip.rows("files.jsonl").find(({ name }) => name === "large.bin");
  assert.deepEqual(zip.bytes(file.path), large);
});
