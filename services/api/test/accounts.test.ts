import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type PasswordReply, type Revocation, subjects } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import { requestJson } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { decodeJwt, SignJWT } from "jose";
import { password, type Session, startTestApi } from "./surroundings.ts";

const api = await startTestApi({ after });
const ask = <Answer>(subject: string, body: object) =>
  requestJson<Answer>(api.nats, subject, body, { timeoutMs: 30_000 });

test("login answers all that a stock MQTT client needs", async () => {
  const session = await api.user("alice", "web");
  const p = ingestPartition("alice:web");
  assert.equal(session.uid, "alice");
  assert.equal(session.clientId, "alice:web");
  assert.equal(session.mqtt.username, "alice");
  assert.equal(session.mqtt.password, session.token);
  assert.equal(session.mqtt.ws, `ws://${new URL(api.url).host}/mqtt`);
  assert.equal(session.topics.publish.msg, `im/up/${p}/alice/alice:web/msg`);
  assert.deepEqual(session.topics.subscribe, ["im/dn/alice/m", "im/dn/alice/e", "im/dn/alice/d/alice:web"]);
  const claims = decodeJwt(session.token);
  assert.equal(claims.sub, "alice");
  assert.equal(claims.clientId, "alice:web");
  assert.ok(claims.jti);
  assert.equal((claims.exp ?? 0) * 1000, session.expiresAt);
});

test("a device without a name is given one of six characters", async () => {
  await api.user("anna");
  assert.match((await api.logIn("anna")).clientId, /^anna:[a-z2-7]{6}$/);
});

test("a name is registered once", async () => {
  await api.user("bob");
  const again = await api.call("POST", "/register", { json: { username: "bob", password: "another password" } });
  assert.equal(again.status, 409);
  assert.equal(again.body.error.code, "conflict");
});

test("a registration sent again with its Idempotency-Key is answered as the first, with another password it is refused", async () => {
  const json = { username: "carol", password };
  const headers = { "idempotency-key": "reg-1" };
  const first = await api.call("POST", "/register", { json, headers });
  const again = await api.call("POST", "/register", { json, headers });
  assert.deepEqual([first.status, again.status, again.body], [200, 200, { uid: "carol" }]);
  const other = await api.call("POST", "/register", { json: { ...json, password: "another one" }, headers });
  assert.equal(other.status, 409);
});

test("registrations of one name at once: exactly one wins", async () => {
  const tries = await Promise.all(
    [1, 2, 3, 4].map((n) => api.call("POST", "/register", { json: { username: "dora", password: `password ${n}` } })),
  );
  assert.deepEqual(tries.map(({ status }) => status).sort(), [200, 409, 409, 409]);
});

test("what cannot be registered is refused with the field that is wrong", async () => {
  const refused = async (json: object, code: string, part: RegExp) => {
    const { status, body } = await api.call("POST", "/register", { json });
    assert.equal(body.error?.code, code, JSON.stringify(body));
    assert.match(body.error.message, part);
    assert.ok(status >= 400);
  };
  await refused({ username: "eve", password: "short" }, "invalid_packet", /password/);
  await refused({ username: "e v e", password }, "invalid_packet", /username/);
  await refused({ username: "eve" }, "invalid_packet", /password is missing/);
  await refused({ username: "eve", password, admin: true }, "invalid_packet", /unknown field admin/);
  await refused({ username: "eve", password: 12345678 }, "invalid_packet", /password/);
  await refused({ username: "router-p1", password }, "forbidden", /reserved/);
});

test("names are compared without case, and who registered keeps the spelling", async () => {
  const registered = await api.user("Alma", "web");
  assert.equal(registered.uid, "Alma");
  for (const username of ["alma", "ALMA"]) {
    const other = await api.call("POST", "/register", { json: { username, password } });
    assert.deepEqual([other.status, other.body.error.code], [409, "conflict"], username);
    const session = await api.logIn(username, "phone");
    assert.deepEqual([session.uid, session.clientId, session.mqtt.username], ["Alma", "Alma:phone", "Alma"]);
  }
  const room = await api.call("POST", "/rooms", { token: registered.token, json: { id: "ALMA", name: "Room" } });
  assert.equal(room.status, 409);
  assert.deepEqual(await ask(subjects.ensureUser, { uid: "aLMA" }), { ok: false });
});

test("reserved names cannot be registered in any case; an application may make those that are not Parley's own", async () => {
  const token = api.secrets.servicesSecret;
  const { key } = (await api.call("POST", "/keys", { token, json: { name: "app" } })).body;
  for (const name of ["parley", "Parley", "router-p3", "SYS_x", "system", "Admin", "everyone"]) {
    const registered = await api.call("POST", "/register", { json: { username: name, password } });
    assert.deepEqual([registered.status, registered.body.error.code], [403, "forbidden"], name);
    const isParleys = /^(parley|router-|sys_)/i.test(name);
    const made = await api.call("POST", "/users", { token: key, json: { uid: name } });
    assert.equal(made.status, isParleys ? 403 : 200, name);
    if (isParleys) assert.deepEqual(await ask(subjects.ensureUser, { uid: name }), { ok: false }, name);
  }
});

test("a password is right however its characters were composed when it was typed", async () => {
  const [composed, decomposed] = ["p\u00e4ssw\u00f6rter", "pa\u0308sswo\u0308rter"];
  for (const [uid, registered, typed] of [
    ["nfc", composed, decomposed],
    ["nfd", decomposed, composed],
  ] as const) {
    assert.equal((await api.call("POST", "/register", { json: { username: uid, password: registered } })).status, 200);
    for (const text of [registered, typed])
      assert.equal((await api.call("POST", "/login", { json: { username: uid, password: text } })).status, 200);
    assert.deepEqual(
      (await ask<{ ok: boolean }>(subjects.verifyPassword, { username: uid, password: typed })).ok,
      true,
    );
    const wrong = await api.call("POST", "/login", { json: { username: uid, password: "passworter" } });
    assert.equal(wrong.status, 401);
  }
});

test("a wrong password and an unknown user are refused alike", async () => {
  await api.user("frank");
  const wrong = await api.call("POST", "/login", { json: { username: "frank", password: "wrong password" } });
  const unknown = await api.call("POST", "/login", { json: { username: "nobody", password: "wrong password" } });
  assert.equal(wrong.status, 401);
  assert.equal(wrong.headers.get("www-authenticate"), "Bearer");
  assert.deepEqual([wrong.status, wrong.body], [unknown.status, unknown.body]);
});

test("after ten failed logins within a minute even the right password waits", async () => {
  await api.user("gina");
  const json = { username: "gina", password: "wrong password" };
  for (let n = 0; n < 10; n++) assert.equal((await api.call("POST", "/login", { json })).status, 401);
  const limited = await api.call("POST", "/login", { json: { username: "gina", password } });
  assert.deepEqual([limited.status, limited.body.error.code], [429, "rate_limited"]);
  assert.equal((await api.call("POST", "/login", { json: { username: "frank", password } })).status, 200);
});

test("a refresh token shown again within 30 s is answered with the same successor, and later ends the family and the device's tokens", async (t) => {
  const first = await api.user("hugo", "phone");
  const refresh = (refreshToken: string) => api.call("POST", "/refresh", { json: { refreshToken } });
  const second = await refresh(first.refreshToken);
  assert.equal(second.status, 200);
  assert.equal(second.body.clientId, "hugo:phone");
  const lost = await refresh(first.refreshToken);
  assert.deepEqual([lost.status, lost.body.refreshToken], [200, second.body.refreshToken]);
  assert.equal((await api.call("GET", "/rooms/none", { token: lost.body.token })).status, 404);
  const third = await refresh(second.body.refreshToken);
  assert.notEqual(third.body.refreshToken, second.body.refreshToken);
  for (const { refreshToken } of [first, second.body])
    assert.equal((await refresh(refreshToken)).body.refreshToken, third.body.refreshToken, "always the latest");
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 31_000 });
  const reused = await refresh(second.body.refreshToken);
  assert.deepEqual([reused.status, reused.body.error.code], [401, "unauthenticated"]);
  assert.equal((await refresh(third.body.refreshToken)).status, 401);
  assert.equal((await api.call("GET", "/rooms", { token: third.body.token })).status, 401);
  for (const madeUp of ["made up", `${"0".repeat(64)}.x`, "x.y", ".", ""])
    assert.equal((await refresh(madeUp)).status, 401);
});

test("tabs that refresh at once all go on with one session", async () => {
  const { refreshToken } = await api.user("iris");
  const tries = await Promise.all([1, 2, 3, 4].map(() => api.call("POST", "/refresh", { json: { refreshToken } })));
  assert.deepEqual(
    tries.map(({ status }) => status),
    [200, 200, 200, 200],
  );
  assert.equal(new Set(tries.map(({ body }) => body.refreshToken)).size, 1);
  for (const { body } of tries) assert.equal((await api.call("GET", "/rooms/none", { token: body.token })).status, 404);
});

test("a lost answer to a refresh is given again by the next process too", async () => {
  const { refreshToken } = await api.user("ines", "phone");
  const answered = await api.call("POST", "/refresh", { json: { refreshToken } });
  await api.restart();
  const again = await api.call("POST", "/refresh", { json: { refreshToken } });
  assert.deepEqual([again.status, again.body.refreshToken], [200, answered.body.refreshToken]);
});

test("logout revokes the device's tokens, tells the others, and spares other devices; a login right after works", async (t) => {
  const web = await api.user("jane", "web");
  const phone = await api.logIn("jane", "phone");
  const heard: Revocation[] = [];
  const subscription = api.nats.subscribe(subjects.revoked, {
    callback: (_error, message) => void heard.push(message.json<Revocation>()),
  });
  t.after(() => subscription.unsubscribe());
  await api.nats.flush();
  assert.equal((await api.call("POST", "/logout", { token: web.token })).status, 200);
  await eventually(() => heard.some(({ clientId }) => clientId === "jane:web"));
  const revocation = heard.find(({ clientId }) => clientId === "jane:web") as Revocation;
  assert.ok((decodeJwt(web.token).iat ?? 0) < revocation.before);
  const refused = await api.call("POST", "/logout", { token: web.token });
  assert.deepEqual([refused.status, refused.body.error.code], [401, "unauthenticated"]);
  assert.equal((await api.call("POST", "/refresh", { json: { refreshToken: web.refreshToken } })).status, 401);
  const back = await api.logIn("jane", "web");
  assert.ok((decodeJwt(back.token).iat ?? 0) >= revocation.before);
  for (const token of [back.token, phone.token])
    assert.equal((await api.call("POST", "/logout", { token })).status, 200);
});

test("a new password logs out every other device and is the only one that works", async () => {
  const web = await api.user("kate", "web");
  const phone = await api.logIn("kate", "phone");
  const change = (json: object) => api.call("POST", "/password", { token: web.token, json });
  assert.equal((await change({ password: "wrong password", newPassword: "a new password" })).status, 401);
  assert.equal((await change({ password, newPassword: "short" })).status, 400);
  assert.equal((await change({ password, newPassword: "a new password" })).status, 200);
  assert.equal((await api.call("POST", "/refresh", { json: { refreshToken: phone.refreshToken } })).status, 401);
  assert.equal((await api.call("POST", "/logout", { token: phone.token })).status, 401);
  const log = (text: string) => api.call("POST", "/login", { json: { username: "kate", password: text } });
  assert.equal((await log(password)).status, 401);
  assert.equal((await log("a new password")).status, 200);
  assert.equal((await api.call("POST", "/refresh", { json: { refreshToken: web.refreshToken } })).status, 200);
});

test("logins under the name of the device that changes the password end with the others; the one that changed it goes on", async () => {
  const mine = await api.user("kira", "web");
  const other = await api.logIn("kira", "web");
  const json = { password, newPassword: "a new password" };
  const refresh = ({ refreshToken }: Session) => api.call("POST", "/refresh", { json: { refreshToken } });
  const isBelieved = async ({ token }: Session) => (await api.call("GET", "/rooms/none", { token })).status === 404;
  const used = (await refresh(other)).body as Session;
  assert.equal((await api.call("POST", "/password", { token: mine.token, json })).status, 200);
  for (const ended of [other, used]) {
    assert.equal(await isBelieved(ended), false);
    assert.equal((await refresh(ended)).status, 401);
  }
  assert.equal(await isBelieved(mine), true, "also after an ended refresh token was shown");
  const next = (await refresh(mine)).body as Session;
  assert.equal(await isBelieved(next), true);
  // A second change, by a login of the new password, ends the one that made the first.
  const json2 = { username: "kira", password: json.newPassword, device: "web" };
  const newer = (await api.call("POST", "/login", { json: json2 })).body as Session;
  const again = { password: json.newPassword, newPassword: "the third password" };
  assert.equal((await api.call("POST", "/password", { token: newer.token, json: again })).status, 200);
  for (const ended of [mine, next]) assert.equal(await isBelieved(ended), false);
  assert.equal((await refresh(next)).status, 401);
  assert.equal(await isBelieved(newer), true);
});

test("a change of password sent again with its Idempotency-Key is done once", async () => {
  const { token } = await api.user("lena");
  const json = { password, newPassword: "a new password" };
  const headers = { "idempotency-key": "change-1" };
  for (let n = 0; n < 2; n++) assert.equal((await api.call("POST", "/password", { token, json, headers })).status, 200);
});

test("only a token of ours, unexpired and with its fields, is believed", async () => {
  const { token } = await api.user("mona", "web");
  const now = Math.floor(Date.now() / 1000);
  const claims = { clientId: "mona:web", iat: now, exp: now + 60 };
  const sign = (key: Uint8Array, more: object = {}) =>
    new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg: "HS256" }).setSubject("mona").sign(key);
  const none = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${token.split(".")[1]}.`;
  const key = api.secrets.signingKey;
  const bad = {
    expired: await sign(key, { iat: now - 90, exp: now - 30 }),
    "of another key": await sign(Buffer.alloc(32, 7)),
    "alg none": none,
    "without a device": await sign(key, { clientId: undefined }),
    "without an end": await sign(key, { exp: undefined }),
    "no token": "something",
    "another payload": [
      token.split(".")[0],
      Buffer.from('{"sub":"alice"}').toString("base64url"),
      token.split(".")[2],
    ].join("."),
  };
  assert.notEqual((await api.call("POST", "/logout", { token: await sign(key) })).status, 401);
  for (const [what, wrong] of Object.entries(bad)) {
    const { status, body } = await api.call("GET", "/rooms", { token: wrong });
    assert.deepEqual([status, body.error.code], [401, "unauthenticated"], what);
  }
  const basic = await api.call("GET", "/rooms", { headers: { authorization: "Basic YTpi" } });
  assert.equal(basic.status, 401);
  assert.equal((await api.call("GET", "/rooms")).status, 401);
});

test("other services learn passwords, users and revocations over NATS", async () => {
  const { token } = await api.user("nora", "web");
  const verify = (username: string, text: string) =>
    ask<PasswordReply>(subjects.verifyPassword, { username, password: text });
  const right = await verify("nora", password);
  assert.equal(right.ok, true);
  const unchanged = (since: unknown) => ask(subjects.passwordUnchanged, { username: "nora", passwordSince: since });
  assert.deepEqual(await unchanged(right.passwordSince), { ok: true });
  assert.deepEqual(await unchanged(1), { ok: false });
  assert.deepEqual(await verify("nora", "wrong password"), { ok: false });
  assert.deepEqual(await verify("nobody", password), { ok: false });
  assert.deepEqual(await ask(subjects.userExists, { uid: "nora" }), { exists: true });
  assert.deepEqual(await ask(subjects.userExists, { uid: "nobody" }), { exists: false });
  await ask(subjects.revokeDevice, { uid: "nora", clientId: "nora:web" });
  assert.equal((await api.call("POST", "/logout", { token })).status, 401);
  const listed = await ask<{ revocations: Revocation[]; next: string | null }>(subjects.revocations, {});
  assert.ok(listed.revocations.some(({ uid, clientId }) => uid === "nora" && clientId === "nora:web"));
  assert.equal(listed.next, null);
  await assert.rejects(ask(subjects.userExists, {}), { code: "invalid_packet" });
  assert.deepEqual(await ask(subjects.ensureUser, { uid: "external" }), { ok: true });
  assert.deepEqual(await ask(subjects.ensureUser, { uid: "external" }), { ok: true });
  assert.deepEqual(await ask(subjects.userExists, { uid: "external" }), { exists: true });
  assert.deepEqual(await ask(subjects.ensureUser, { uid: "sys_x" }), { ok: false });
});

test("accounts, revocations and used refresh tokens outlive a restart", async () => {
  const session = await api.user("olga", "web");
  await api.call("POST", "/logout", { token: session.token });
  const phone = await api.logIn("olga", "phone");
  await api.restart();
  assert.equal((await api.call("POST", "/logout", { token: session.token })).status, 401);
  assert.equal((await api.call("POST", "/refresh", { json: { refreshToken: session.refreshToken } })).status, 401);
  assert.equal((await api.call("POST", "/refresh", { json: { refreshToken: phone.refreshToken } })).status, 200);
});

test("a logout while NATS is away is told to the others once it is back", async (t) => {
  const { token } = await api.user("rosa", "web");
  const heard: Revocation[] = [];
  const subscription = api.nats.subscribe(subjects.revoked, {
    callback: (_error, message) => void heard.push(message.json<Revocation>()),
  });
  t.after(() => subscription.unsubscribe());
  await api.natsServer.kill();
  assert.equal((await api.call("POST", "/logout", { token })).status, 200);
  await api.natsServer.start();
  await eventually(() => heard.some(({ clientId }) => clientId === "rosa:web"));
});

test("a revocation made while NATS was away is known to the next start and to whoever asks it", async () => {
  const { token } = await api.user("sven", "web");
  await api.natsServer.kill();
  assert.equal((await api.call("POST", "/logout", { token })).status, 200);
  const restarted = api.restart();
  await api.natsServer.start();
  await restarted;
  await eventually(async () => {
    const { revocations } = await ask<{ revocations: Revocation[] }>(subjects.revocations, {});
    return revocations.some(({ clientId }) => clientId === "sven:web");
  });
  assert.equal((await api.call("POST", "/logout", { token })).status, 401);
});

test("login works while Redis is away, and failures are still counted", async () => {
  await api.user("paul");
  await api.redis.kill();
  try {
    await api.logIn("paul");
    const json = { username: "paul", password: "wrong password" };
    for (let n = 0; n < 10; n++) assert.equal((await api.call("POST", "/login", { json })).status, 401);
    assert.equal((await api.call("POST", "/login", { json })).status, 429);
  } finally {
    await api.redis.start();
  }
});
