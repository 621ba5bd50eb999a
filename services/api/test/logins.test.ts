// Logins that several accounts share.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type PasswordReply, type Revocation, subjects } from "@parley/protocol";
import { requestJson } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { password, type Reply, type Session, startTestApi } from "./surroundings.ts";

const api = await startTestApi({ after });
const made = await api.call("POST", "/keys", { token: api.secrets.servicesSecret, json: { name: "shop" } });
const key: string = made.body.key;

const add = ({ token }: Session, json: object, headers: Record<string, string> = {}) =>
  api.call("POST", "/accounts", { token, json, headers });
const release = ({ token }: Session, uid: string, json: object) =>
  api.call("POST", `/accounts/${uid}/release`, { token, json });
const list = async ({ token }: Session): Promise<string[]> =>
  (await api.call("GET", "/accounts", { token })).body.accounts.map(({ uid }: { uid: string }) => uid);
const logIn = (json: object) => api.call("POST", "/login", { json });
const refresh = ({ refreshToken }: Session) => api.call("POST", "/refresh", { json: { refreshToken } });
const isBelieved = async ({ token }: Session) => (await api.call("GET", "/rooms/none", { token })).status === 404;
const answer = ({ status, body }: Reply) => [status, body.error?.code ?? "done"];

async function session(username: string, by = password, more: object = {}): Promise<Session> {
  const { status, body } = await logIn({ username, password: by, ...more });
  assert.equal(status, 200, JSON.stringify(body));
  return body as Session;
}

test("one user name and password log in to each account of the login, each a user of its own", async () => {
  const ada = await api.user("ada", "web");
  assert.deepEqual(await list(ada), ["ada"]);
  assert.deepEqual((await add(ada, { uid: "ada.work", name: "Ada at work" })).body, { uid: "ada.work" });
  assert.ok(await isBelieved(ada), "its own sessions go on");
  assert.equal((await refresh(ada)).status, 200);
  const work = await session("ada", password, { account: "ada.work", device: "web" });
  assert.deepEqual([work.uid, work.clientId, work.mqtt.username], ["ada.work", "ada.work:web", "ada.work"]);
  assert.equal((await session("ada.work")).uid, "ada.work");
  assert.equal((await session("ADA.WORK", password, { account: "ADA" })).uid, "ada");
  const verify = (username: string) =>
    requestJson<PasswordReply>(api.nats, subjects.verifyPassword, { username, password }, { timeoutMs: 30_000 });
  for (const username of ["ada", "ada.work"]) assert.equal((await verify(username)).ok, true, username);
  assert.deepEqual(await list(work), ["ada", "ada.work"]);
  const profile = (await api.call("GET", "/profile", { token: work.token })).body;
  assert.deepEqual([profile.uid, profile.name], ["ada.work", "Ada at work"]);
});

test("who looks at an account, and who has another login's password, learns nothing of its other accounts", async () => {
  const eve = await api.user("eve", "web");
  await api.user("owner", "web");
  await add(await session("owner"), { uid: "secret" });
  for (const path of ["/users/owner", "/users?query=owner", "/users/secret"]) {
    const { body } = await api.call("GET", path, { token: eve.token });
    const other = path.includes("secret") ? "owner" : "secret";
    assert.equal(JSON.stringify(body).includes(other), false, path);
  }
  const governed = await api.call("GET", "/users/owner/account", { token: key });
  assert.deepEqual(governed.body, { uid: "owner", state: "active" });
  const [taken, nobody] = [
    await logIn({ username: "eve", password, account: "secret" }),
    await logIn({ username: "eve", password, account: "nobody" }),
  ];
  assert.deepEqual(answer(taken), [404, "not_found"]);
  assert.equal(JSON.stringify(taken.body).replaceAll("secret", "nobody"), JSON.stringify(nobody.body));
  const wrong = await logIn({ username: "owner", password: "wrong password", account: "secret" });
  assert.deepEqual(answer(wrong), [401, "unauthenticated"]);
  const json = { password, newPassword: "another password" };
  const [theirs, none] = [await release(eve, "secret", json), await release(eve, "nobody", json)];
  assert.deepEqual(answer(theirs), [404, "not_found"]);
  assert.equal(JSON.stringify(theirs.body).replaceAll("secret", "nobody"), JSON.stringify(none.body));
});

test("an account that exists comes into the login by its own password, which ends with its sessions", async (t) => {
  const hal = await api.user("hal", "web");
  const old = await api.user("old", "web");
  const oldPhone = await api.logIn("old", "phone");
  const change = { token: old.token, json: { password, newPassword: "a password of its own" } };
  assert.equal((await api.call("POST", "/password", change)).status, 200);
  assert.deepEqual(answer(await add(hal, { uid: "old", password })), [401, "unauthenticated"]);
  const [wrong, nobody] = [
    await add(hal, { uid: "old", password: "wrong password" }),
    await add(hal, { uid: "nobody", password: "wrong password" }),
  ];
  assert.deepEqual(wrong.body, nobody.body);
  const heard: Revocation[] = [];
  const told = api.nats.subscribe(subjects.revoked, { callback: (_, message) => void heard.push(message.json()) });
  t.after(() => told.unsubscribe());
  await api.nats.flush();
  assert.deepEqual((await add(hal, { uid: "OLD", password: "a password of its own" })).body, { uid: "old" });
  for (const ended of [old, oldPhone]) {
    assert.equal(await isBelieved(ended), false);
    assert.equal((await refresh(ended)).status, 401);
  }
  await eventually(() => heard.some(({ uid, password: by }) => uid === "old" && by !== undefined));
  assert.equal((await logIn({ username: "old", password: "a password of its own" })).status, 401);
  assert.equal((await session("old")).uid, "old");
  assert.ok(await isBelieved(hal));
  assert.deepEqual(answer(await add(hal, { uid: "old", password })), [409, "conflict"]);
  assert.deepEqual(answer(await add(hal, { uid: "hal", password })), [409, "conflict"]);
});

test("a new password is that of all accounts of the login, and ends the other sessions of all of them", async () => {
  const kim = await api.user("kim", "web");
  await api.user("joined", "web");
  await add(kim, { uid: "kim.work" });
  await add(kim, { uid: "joined", password });
  const others = [await session("kim"), await session("kim.work"), await session("joined")];
  const work = await session("kim.work");
  const json = { password, newPassword: "a new password" };
  assert.equal((await api.call("POST", "/password", { token: work.token, json })).status, 200);
  for (const ended of [kim, ...others]) {
    assert.equal(await isBelieved(ended), false, ended.clientId);
    assert.equal((await refresh(ended)).status, 401, ended.clientId);
  }
  assert.ok(await isBelieved(work));
  assert.equal((await refresh(work)).status, 200);
  for (const username of ["kim", "kim.work", "joined"]) {
    assert.equal((await logIn({ username, password })).status, 401, username);
    const anew = await session(username, "a new password");
    assert.ok(await isBelieved(anew), username);
  }
});

test("an account that is let go is a login of its own; the others go on, and the last one stays", async () => {
  const lou = await api.user("lou", "web");
  const json = { password, newPassword: "a new password" };
  assert.deepEqual(answer(await release(lou, "lou", json)), [409, "conflict"]);
  await add(lou, { uid: "lou.shop" });
  const [shop, other] = [await session("lou.shop"), await session("lou.shop")];
  assert.deepEqual(answer(await release(lou, "lou.shop", { ...json, password: "wrong one" })), [
    401,
    "unauthenticated",
  ]);
  assert.deepEqual(answer(await release(lou, "lou.shop", { ...json, newPassword: "short" })), [400, "invalid_packet"]);
  assert.ok(await isBelieved(shop));
  assert.deepEqual((await release(shop, "lou.shop", json)).body, { uid: "lou.shop" });
  assert.ok(await isBelieved(shop), "the session that asked");
  assert.equal(await isBelieved(other), false);
  assert.ok(await isBelieved(lou));
  assert.deepEqual([await list(shop), await list(lou)], [["lou.shop"], ["lou"]]);
  assert.equal((await logIn({ username: "lou.shop", password })).status, 401);
  assert.equal((await session("lou.shop", "a new password")).uid, "lou.shop");
  assert.equal((await logIn({ username: "lou", password, account: "lou.shop" })).status, 404);
  assert.deepEqual(answer(await release(lou, "lou.shop", json)), [404, "not_found"]);
  // From one login into another, and back.
  assert.equal((await add(lou, { uid: "lou.shop", password: "a new password" })).status, 200);
  assert.deepEqual(await list(lou), ["lou", "lou.shop"]);
  assert.equal((await session("lou.shop")).uid, "lou.shop");
});

test("a login has eight accounts, and as many when more are added at once", async () => {
  const max = await api.user("max", "web");
  const uids = Array.from({ length: 12 }, (_, n) => `max${n}`);
  for (let round = 0; round < 12 && (await list(max)).length < 8; round++)
    await Promise.all(uids.map((uid) => add(max, { uid })));
  assert.equal((await list(max)).length, 8);
  await api.user("one-more", "web");
  assert.deepEqual(answer(await add(max, { uid: "one-more", password })), [409, "conflict"]);
  assert.deepEqual(answer(await add(max, { uid: "yet-another" })), [409, "conflict"]);
  assert.equal((await session("one-more")).uid, "one-more");
});

test("an account is of one login, whoever takes it in at once", async () => {
  const [one, two] = [await api.user("one", "web"), await api.user("two", "web")];
  await api.user("both", "web");
  const answers = await Promise.all([one, two].map((owner) => add(owner, { uid: "both", password })));
  const statuses = answers.map(({ status }) => status).sort();
  assert.ok(statuses[0] === 200 && statuses[1] !== 200, JSON.stringify(answers.map(answer)));
  const lists = [await list(one), await list(two)];
  assert.equal(lists.flat().filter((uid) => uid === "both").length, 1);
  const names = await Promise.all([one, two].map((owner) => add(owner, { uid: "new-one" })));
  assert.deepEqual(names.map(({ status }) => status).sort(), [200, 409]);
});

test("what is sent again with its Idempotency-Key is done once", async () => {
  const meg = await api.user("meg", "web");
  await api.user("meg.old", "web");
  for (let n = 0; n < 2; n++) {
    assert.equal((await add(meg, { uid: "meg.new" }, { "idempotency-key": "new" })).status, 200);
    assert.equal((await add(meg, { uid: "meg.old", password }, { "idempotency-key": "old" })).status, 200);
  }
  assert.deepEqual((await list(meg)).sort(), ["meg", "meg.new", "meg.old"]);
});

test("an application's user without a password has no login to share", async () => {
  await api.call("POST", "/users", { token: key, json: { uid: "bot" } });
  const { body } = await api.call("POST", "/users/bot/login", { token: key, json: {} });
  assert.deepEqual(answer(await add(body as Session, { uid: "bot.two" })), [403, "forbidden"]);
  assert.deepEqual(answer(await add(await api.user("sue"), { uid: "both", name: "x", password })), [
    400,
    "invalid_packet",
  ]);
  assert.deepEqual(answer(await add(await api.logIn("sue"), { uid: "router-p1" })), [403, "forbidden"]);
});
