// kill -9 of the real api and the real history between the steps of an erasure.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { subjects } from "@parley/protocol";
import { answerCompact, answerJson, type Checkpoint, readSecrets } from "@parley/runtime";
import { eventually, serviceContext } from "@parley/testkit";
import { startApiProcess } from "./api-process.ts";
import { startHistoryProcess } from "./history-process.ts";
import { password, type Session } from "./surroundings.ts";

const api = await startApiProcess({ after });
await api.start();
const history = startHistoryProcess({ after }, api);
const { log } = serviceContext("test");
// Presence, search and push, as far as an erasure asks them.
const unsearched: number[] = [];
const pushErased = new Set<string>();
answerJson(api.nats, subjects.eraseDevices, "test", () => ({}), log);
answerJson<{ uid: string }>(
  api.nats,
  subjects.erasePush,
  "test",
  ({ uid }) => ({ size: pushErased.add(uid).size }),
  log,
);
for (const service of ["presence", "search", "push"])
  answerCompact(api.nats, { service, compact: async () => {}, log });
answerJson<{ seqs: number[] }>(
  api.nats,
  subjects.removeFromSearch,
  "test",
  ({ seqs }) => ({ length: unsearched.push(...seqs) }),
  log,
);

const { servicesSecret } = readSecrets(`${api.folder}/secrets`);
const key = (await api.call("POST", "/keys", { token: servicesSecret, json: { name: "shop" } })).body.key as string;
async function user(username: string): Promise<string> {
  await api.call("POST", "/register", { json: { username, password } });
  return ((await api.call("POST", "/login", { json: { username, password } })).body as Session).token;
}
/** Sent again until somebody lives who answers. */
async function call(verb: string, path: string, token: string, json?: object) {
  let reply: Awaited<ReturnType<typeof api.call>> | undefined;
  const headers: Record<string, string> = verb === "GET" ? {} : { "idempotency-key": `k${Math.random()}` };
  await eventually(
    async () => {
      reply = await api.call(verb, path, { token, headers, ...(json && { json }) }).catch(() => undefined);
      return reply !== undefined && reply.status !== 503;
    },
    { timeoutMs: 60_000 },
  );
  return reply!;
}
const bob = await user("bob");

async function fill(uid: string): Promise<{ token: string; room: string }> {
  const token = await user(uid);
  const made = await call("POST", "/rooms", token, { name: "Room", members: ["bob"] });
  for (const to of ["user/bob", made.body.conv])
    assert.equal(
      (await call("POST", "/messages", token, { to, content: { type: "text", data: "secret" } })).status,
      200,
    );
  await call("POST", "/messages", bob, { to: `user/${uid}`, content: { type: "text", data: "bob's" } });
  await call("POST", "/roster", bob, { id: uid, note: "secret" });
  const headers = { "content-type": "text/plain" };
  const raw = `secret-file-of-${uid}`;
  assert.equal((await api.call("POST", "/attachments", { token, raw, headers })).status, 201);
  assert.equal((await call("POST", "/aliases", token, { alias: `${uid}.alias` })).status, 200);
  return { token, room: made.body.id };
}

async function isDone(uid: string): Promise<void> {
  const stateOf = async () => (await call("GET", `/users/${uid}/account`, key)).body.state;
  await eventually(async () => (await stateOf()) === "erased", { timeoutMs: 90_000 });
}

async function isErased(uid: string, { token, room }: { token: string; room: string }): Promise<void> {
  await isDone(uid);
  assert.equal((await call("GET", "/rooms/none", token)).status, 401);
  const conv = encodeURIComponent(uid < "bob" ? `p2p/${uid}/bob` : `p2p/bob/${uid}`);
  const { messages } = (await call("GET", `/conversations/${conv}/messages`, bob)).body;
  assert.deepEqual(
    messages.map(({ content }: { content: object }) => content),
    [{ type: "erased" }, { type: "text", data: "bob's" }],
  );
  const seen = (await call("GET", `/conversations/${encodeURIComponent(`room/${room}`)}/messages`, bob)).body.messages;
  assert.equal(JSON.stringify(seen).includes("secret"), false);
  assert.equal((await call("GET", `/rooms/${room}`, bob)).body.role, "owner");
  assert.deepEqual((await call("GET", "/roster", bob)).body.contacts, []);
  assert.equal((await call("POST", "/register", "", { username: uid, password })).status, 409);
  const files = globSync(join(api.folder, "data/api/blobs/**"), { withFileTypes: true }).filter((one) => one.isFile());
  const texts = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), "utf8"));
  assert.equal(texts.includes(`secret-file-of-${uid}`), false, "its file is off the disk");
  assert.ok(pushErased.has(uid), "push has nothing of it");
}

const registerAlias = async (uid: string) =>
  (await call("POST", "/register", "", { username: `${uid}.alias`, password })).status;

const points: Checkpoint[] = [
  ...(["before-closing", "before-user-removed", "before-conversation-left"] as const),
  ...(["before-files-removed", "before-push-erased", "before-erasure-done"] as const),
  "before-bytes-removed",
];

const ofBegin: ReadonlySet<Checkpoint> = new Set([
  "before-closing",
  "before-conversation-left",
  "before-bytes-removed",
]);

for (const [index, point] of points.entries())
  test(`an erasure in which api dies ${point} is finished by the next one`, async () => {
    const uid = `a${index}`;
    const kept = await fill(uid);
    await api.kill();
    // What ended lately is done again at each start, and passes the points on its way that are not of its begin.
    const before = ofBegin.has(point) ? 0 : index;
    await api.start(`${point}:${before + 1}`);
    for (let other = 0; other < index; other++) await isDone(`a${other}`);
    await api.call("DELETE", `/users/${uid}`, { token: key }).catch(() => undefined);
    assert.equal(await api.died(), "SIGKILL");
    await api.start();
    await isErased(uid, kept);
    assert.equal(await registerAlias(uid), 200);
  });

for (const [index, point] of (["before-entries-erased", "before-member-removed"] as const).entries())
  test(`an erasure in which history dies ${point} is finished when it is back`, async () => {
    const uid = `h${index}`;
    const kept = await fill(uid);
    await history.kill();
    history.start(point);
    const asked = call("DELETE", `/users/${uid}`, key);
    assert.equal(await history.died(), "SIGKILL");
    history.start();
    assert.equal((await asked).status, 200);
    await isErased(uid, kept);
    assert.ok(unsearched.length > 0);
  });

test("of many messages of one conversation all are emptied, and found no more", async () => {
  const token = await user("many");
  const say = (by: string, to: string, n: number) =>
    call("POST", "/messages", by, { to: `user/${to}`, content: { type: "text", data: `secret ${n}` } });
  for (let n = 0; n < 250; n += 50)
    await Promise.all(
      Array.from({ length: 50 }, (_, at) => (n + at === 100 ? say(bob, "many", 0) : say(token, "bob", n))),
    );
  unsearched.length = 0;
  assert.equal((await call("DELETE", "/users/many", key)).status, 200);
  await isDone("many");
  const counts = new Map<string, number>();
  for (let after = 0, more = true; more; ) {
    const { body } = await call("GET", `/conversations/p2p%2Fbob%2Fmany/messages?after=${after}&limit=200`, bob);
    for (const { from, content } of body.messages)
      counts.set(`${from} ${content.type}`, (counts.get(`${from} ${content.type}`) ?? 0) + 1);
    after = body.messages.at(-1)?.seq ?? after;
    more = body.more;
  }
  assert.deepEqual(Object.fromEntries(counts), { "many erased": 249, "bob text": 1 });
  assert.equal(new Set(unsearched).size, 249);
});

test("what a backup has of a user whose erasure ended while it was made is erased at the start behind it", async () => {
  const kept = await fill("b0");
  const [folder, saved] = [join(api.folder, "data/history"), join(api.folder, "saved")];
  await history.kill();
  await cp(folder, saved, { recursive: true });
  history.start();
  assert.equal((await call("DELETE", "/users/b0", key)).status, 200);
  await isErased("b0", kept);
  assert.equal(await registerAlias("b0"), 200);
  await Promise.all([history.kill(), api.kill()]);
  await rm(folder, { recursive: true });
  await cp(saved, folder, { recursive: true });
  history.start();
  await api.start();
  await isErased("b0", kept);
  assert.equal(await registerAlias("b0"), 409, "who has the name since keeps it");
});
