import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { AppError, type Revocation, type SessionEvent, subjects } from "@parley/protocol";
import { eventually } from "@parley/testkit";
import { exportJWK, SignJWT, UnsecuredJWT } from "jose";
import { exp, serveJson, startWebhook, type Webhook } from "./start.ts";

/** The answer to a connect of alice's phone: `ok` or `not_allowed`. */
async function connect(webhook: Webhook, password: unknown, more: Record<string, unknown> = {}): Promise<string> {
  const body = { peer_addr: "192.0.2.1", peer_port: 1, client_id: "alice:phone", username: "alice", password, ...more };
  const { body: answered } = await webhook.vernemq("auth_on_register_m5", body);
  const { result } = answered as { result: string | { error: string } };
  return typeof result === "string" ? result : result.error;
}

const lastReason = ({ lines }: Webhook) => lines.findLast(({ event }) => event === "refused")?.reason;
const now = () => Date.now() / 1000;

test("a token is believed only as it was made: signature, algorithm, times, claims", async (t) => {
  const webhook = await startWebhook(t);
  const { signingKey } = webhook.secrets;
  const claims = { sub: "alice", clientId: "alice:phone", iat: now(), exp };
  const sign = (key: Uint8Array | KeyObject, alg: string) => new SignJWT(claims).setProtectedHeader({ alg }).sign(key);
  const good = await webhook.token();
  const [head, body, signature] = good.split(".") as [string, string, string];
  const other = Buffer.from(JSON.stringify({ ...claims, sub: "root" })).toString("base64url");
  const bad: Record<string, string> = {
    "another key": await sign(Buffer.alloc(32, 7), "HS256"),
    "another algorithm": await sign(Buffer.concat([signingKey, signingKey]), "HS512"),
    none: new UnsecuredJWT(claims).encode(),
    "another body": `${head}.${other}.${signature}`,
    "no signature": `${head}.${body}.`,
    expired: await webhook.token({ exp: Math.floor(now()) - 1 }),
    "no exp": await webhook.token({ exp: undefined }),
    "another user": await webhook.token({ sub: "bob" }),
    "no sub": await webhook.token({ sub: undefined }),
    "another client id": await webhook.token({ clientId: "alice:web" }),
    "no client id": await webhook.token({ clientId: undefined }),
    "a client id that is no text": await webhook.token({ clientId: 7 }),
    "not yet": await webhook.token({ nbf: Math.floor(now()) + 600 }),
    long: `${good}${"A".repeat(5000)}`,
  };
  for (const [what, token] of Object.entries(bad)) assert.equal(await connect(webhook, token), "not_allowed", what);
  assert.equal(webhook.peers.asked.presence.length, 0);
  assert.equal(webhook.peers.asked.password.length, 0, "a token is never tried as a password");
  assert.equal(await connect(webhook, good), "ok");
  assert.equal(await connect(webhook, good), "ok", "a remembered token");
  const lines = JSON.stringify(webhook.lines);
  assert.ok(!lines.includes(good) && !lines.includes(signature));
});

test("a token that was believed is refused once it has expired", async (t) => {
  const webhook = await startWebhook(t);
  const ends = Math.ceil(now()) + 600;
  const token = await webhook.token({ exp: ends });
  assert.equal(await connect(webhook, token), "ok");
  t.mock.timers.enable({ apis: ["Date"], now: ends * 1_000 });
  assert.equal(await connect(webhook, token), "not_allowed");
  assert.equal(lastReason(webhook), "expired");
  const publish = {
    client_id: "alice:phone",
    username: "alice",
    topic: "im/up/5/alice/alice:phone/msg",
    retain: false,
  };
  const reply = await webhook.vernemq("auth_on_publish", publish);
  assert.deepEqual(reply.body, { result: { error: "not_allowed" } }, "and so is what its connection still asks");
});

test("no answer is kept beyond the token's expiry, nor for a device whose expiry is not known", async (t) => {
  const webhook = await startWebhook(t);
  const publish = {
    client_id: "alice:phone",
    username: "alice",
    topic: "im/up/5/alice/alice:phone/msg",
    retain: false,
  };
  assert.equal((await webhook.vernemq("auth_on_publish", publish)).cacheControl, null);
  await connect(webhook, await webhook.token({ exp: Math.floor(now()) + 100 }));
  const age = Number((await webhook.vernemq("auth_on_publish", publish)).cacheControl?.replace("max-age=", ""));
  assert.ok(age > 0 && age <= 100);
  const denied = await webhook.vernemq("auth_on_publish", { ...publish, topic: "im/dn/alice/m" });
  assert.equal(denied.cacheControl, null);
});

test("a revoked device's tokens are refused, newer ones and other devices' are not", async (t) => {
  const webhook = await startWebhook(t);
  const old = await webhook.token();
  assert.equal(await connect(webhook, old), "ok");
  const revocation: Revocation = { uid: "alice", clientId: "alice:phone", before: now() + 0.001, until: exp };
  webhook.nats.publish(subjects.revoked, JSON.stringify(revocation));
  await eventually(async () => (await connect(webhook, old)) === "not_allowed");
  // The first that was refused may have been decided while it was told.
  assert.equal(await connect(webhook, old), "not_allowed");
  assert.equal(lastReason(webhook), "revoked");
  assert.equal(await connect(webhook, await webhook.token({ iat: revocation.before })), "ok");
  const web = await webhook.token({ clientId: "alice:web", iat: now() - 60 });
  assert.equal(await connect(webhook, web, { client_id: "alice:web" }), "ok");
  webhook.nats.publish(subjects.revoked, JSON.stringify({ uid: "alice", before: now(), until: exp }));
  await eventually(async () => (await connect(webhook, web, { client_id: "alice:web" })) === "not_allowed");
  for (const bad of ["", "{", "{}", '{"uid":"alice","before":"x"}']) webhook.nats.publish(subjects.revoked, bad);
  await eventually(() => webhook.lines.filter(({ event }) => event === "revocation_unreadable").length === 4);
});

test("a change of password ends tokens of the same device name but of the login that made it, whatever their times say", async (t) => {
  const webhook = await startWebhook(t);
  const made = (passwordSince: number | undefined, family: string, iat = now()) =>
    webhook.token({ passwordSince, family, iat });
  const [first, kept, stolen] = [await made(undefined, "f0"), await made(1, "f1"), await made(1, "f2", now() + 30)];
  for (const token of [first, kept, stolen]) assert.equal(await connect(webhook, token), "ok");
  const tell = async (since: number, keep: string) => {
    const password = { since, keep };
    const told = { uid: "alice", before: now(), until: exp, password };
    webhook.nats.publish(subjects.revoked, JSON.stringify(told));
    await webhook.nats.flush();
  };
  await tell(2, "f1");
  await eventually(async () => (await connect(webhook, stolen)) === "not_allowed");
  assert.equal(await connect(webhook, stolen), "not_allowed");
  assert.equal(lastReason(webhook), "revoked");
  assert.equal(await connect(webhook, first), "not_allowed");
  assert.equal(await connect(webhook, kept), "ok");
  assert.equal(await connect(webhook, await made(2, "f3", now() - 30)), "ok", "a clock behind makes no new token old");
  await tell(3, "f3");
  await eventually(async () => (await connect(webhook, kept)) === "not_allowed");
  await tell(2, "f1");
  await webhook.nats.flush();
  assert.equal(await connect(webhook, kept), "not_allowed", "an earlier change that is told later");
  assert.equal(await connect(webhook, await made(2, "f3")), "ok");
});

for (const credential of ["token", "password"] as const)
  test(`a connect by ${credential} whose password is changed while presence is asked is refused, and its session ended`, async (t) => {
    const webhook = await startWebhook(t);
    const ended: SessionEvent[] = [];
    webhook.nats.subscribe(subjects.sessionEvent, { callback: (_, message) => void ended.push(message.json()) });
    await webhook.nats.flush();
    const shown = credential === "token" ? await webhook.token({ passwordSince: 1, family: "f1" }) : "right password";
    const stranger = await webhook.token({ passwordSince: 1, family: "f2", clientId: "alice:web" });
    webhook.peers.presence = async ({ clientId }) => {
      if (clientId !== "alice:phone") return { ok: true };
      const told = { uid: "alice", before: now(), until: exp, password: { since: 2, keep: "f9" } };
      webhook.nats.publish(subjects.revoked, JSON.stringify(told));
      await eventually(async () => (await connect(webhook, stranger, { client_id: "alice:web" })) === "not_allowed");
      return { ok: true };
    };
    assert.equal(await connect(webhook, shown), "not_allowed");
    assert.equal(lastReason(webhook), "revoked_meanwhile");
    await eventually(() => ended.some(({ event, clientId }) => event === "gone" && clientId === "alice:phone"));
  });

test("no token is believed and the service is not ready before the revocations are loaded", async (t) => {
  const webhook = await startWebhook(t, { AUTH_WEBHOOK_PASSWORDS: "true" });
  assert.equal(webhook.ready(), true);
  const late = await startWebhook(t, {}, { revocations: undefined });
  assert.equal(late.ready(), false);
  assert.equal(await connect(late, await late.token()), "server_unavailable");
  assert.equal(lastReason(late), "not_ready");
  const service = { client_id: "router-p3", username: "parley" };
  assert.equal(await connect(late, late.secrets.servicesSecret, service), "ok", "routers need not wait");
});

test("presence decides whose device it is; without its answer a valid token is let in and a password is not", async (t) => {
  const webhook = await startWebhook(t);
  const token = await webhook.token();
  assert.equal(await connect(webhook, token), "ok");
  const { at, ...asked } = webhook.peers.asked.presence[0]!;
  assert.ok(Date.now() - at < 120_000);
  assert.deepEqual(
    { ...asked, issuedAt: 0 },
    {
      uid: "alice",
      clientId: "alice:phone",
      credential: "token",
      address: "192.0.2.1",
      protocol: 5,
      passwordSince: 0,
      issuedAt: 0,
      expiresAt: exp,
    },
  );
  for (const reason of ["owned_by_another", "blocked"] as const) {
    webhook.peers.presence = () => ({ ok: false, reason });
    assert.equal(await connect(webhook, token), "not_allowed");
    assert.equal(lastReason(webhook), reason);
  }
  // Beside it, on the same servers, one that does not wait as long.
  const brief = await startWebhook(t, { AUTH_WEBHOOK_PRESENCE_TIMEOUT_MS: "50" }, {}, webhook);
  const absences: [string, Webhook["peers"]["presence"]][] = [
    ["silent", undefined],
    ["failing", () => { throw new Error("out of order"); }], // biome-ignore format: one line
  ];
  for (const [what, presence] of absences) {
    webhook.peers.presence = presence;
    assert.equal(await connect(brief, await brief.token()), "ok", what);
    assert.equal(await connect(brief, "right password"), "server_unavailable", what);
    assert.equal(lastReason(brief), "unavailable");
  }
  webhook.peers.presence = async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return { ok: true };
  };
  assert.equal(await connect(brief, "right password"), "ok", "who is refused without an answer is given more time");
});

test("a connect by a password that is changed while it is decided is refused, and its session ended", async (t) => {
  const webhook = await startWebhook(t);
  const ended: SessionEvent[] = [];
  webhook.nats.subscribe(subjects.sessionEvent, { callback: (_, message) => void ended.push(message.json()) });
  await webhook.nats.flush();
  webhook.peers.presence = () => {
    webhook.peers.passwordSince = 2;
    return { ok: true };
  };
  assert.equal(await connect(webhook, "right password"), "not_allowed");
  assert.equal(lastReason(webhook), "password_changed");
  await eventually(() => ended.some(({ event, clientId }) => event === "gone" && clientId === "alice:phone"));
  assert.equal(await connect(webhook, "right password"), "ok", "which password it is now was asked before presence");
});

test("a connect that is being decided when the service is stopped is answered, and its connection closed", async (t) => {
  const webhook = await startWebhook(t, { AUTH_WEBHOOK_PRESENCE_TIMEOUT_MS: "2000" });
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<{ ok: true }>();
  webhook.peers.presence = () => {
    asked.resolve();
    return answer.promise;
  };
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const body = { client_id: "alice:phone", username: "alice", password: "right password", peer_addr: "192.0.2.1" };
  const headers = { "vernemq-hook": "auth_on_register", "content-type": "application/json" };
  const url = `${webhook.url}/vernemq/${webhook.secrets.hookSecret}`;
  const deciding = new Promise<{ connection: string | undefined; text: string }>((resolve, reject) => {
    const sent = request(url, { agent, method: "POST", headers }, (response) => {
      response.setEncoding("utf8").once("data", (text) => resolve({ connection: response.headers.connection, text }));
    });
    sent.on("error", reject).end(JSON.stringify(body));
  });
  await asked.promise;
  const stopped = webhook.stop();
  answer.resolve({ ok: true });
  assert.deepEqual(await deciding, { connection: "close", text: '{"result":"ok"}' });
  await stopped;
});

test("passwords can be switched off", async (t) => {
  const webhook = await startWebhook(t, { AUTH_WEBHOOK_PASSWORDS: "false" });
  assert.equal(await connect(webhook, "right password"), "not_allowed");
  assert.equal(webhook.peers.asked.password.length, 0);
  assert.equal(lastReason(webhook), "passwords_off");
});

test("after ten wrong passwords no more are checked, also while Redis is away; tokens and other addresses go on", async (t) => {
  for (const redisAway of [false, true]) {
    const webhook = await startWebhook(t);
    if (redisAway) await webhook.redis.kill();
    for (let guess = 0; guess < 10; guess += 1) assert.equal(await connect(webhook, "wrong password"), "not_allowed");
    assert.equal(await connect(webhook, "right password"), "quota_exceeded");
    assert.equal(lastReason(webhook), "too_many_failures");
    assert.equal(webhook.peers.asked.password.length, 10);
    assert.equal(await connect(webhook, "right password", { peer_addr: "192.0.2.2" }), "ok");
    assert.equal(await connect(webhook, await webhook.token()), "ok");
  }
});

test("of 300 passwords guessed at once ten are checked; EMQX hears of the others what it obeys", async (t) => {
  const webhook = await startWebhook(t);
  const guesses = Array.from({ length: 300 }, () => connect(webhook, "wrong password"));
  const answers = await Promise.all(guesses);
  assert.equal(webhook.peers.asked.password.length, 10);
  assert.equal(answers.filter((answer) => answer === "not_allowed").length, 10);
  assert.equal(answers.filter((answer) => answer === "quota_exceeded").length, 290);
  const body = { clientid: "alice:phone", username: "alice", password: "right password", peerhost: "192.0.2.1" };
  assert.deepEqual((await webhook.emqx("authn", body)).body, { result: "deny" });
});

test("wrong passwords sprayed over users count against their address; an IPv6 network is one address", async (t) => {
  const webhook = await startWebhook(t, { AUTH_WEBHOOK_ADDRESS_FAILURES: "15" });
  const spray = (n: number) => {
    const from = { username: `u${n}`, client_id: `u${n}`, peer_addr: `2001:db8:0:7::${n}` };
    return connect(webhook, "wrong password", from);
  };
  for (let n = 1; n <= 15; n += 1) assert.equal(await spray(n), "not_allowed");
  assert.equal(await spray(16), "quota_exceeded");
  assert.equal(await connect(webhook, "right password", { peer_addr: "2001:db8:0:8::1" }), "ok");
});

test("a name counts as one however its letters are typed: guesses at ALICE and alice share their ten", async (t) => {
  const webhook = await startWebhook(t);
  const spellings = ["ALICE", "alice", "Alice", "aLICE"];
  for (let n = 0; n < 10; n += 1) {
    const username = spellings[n % 4]!;
    const guessed = await connect(webhook, "wrong password", { username, client_id: `${username}:phone` });
    assert.equal(guessed, "not_allowed", `${n}`);
  }
  assert.equal(await connect(webhook, "right password"), "quota_exceeded");
});

test("passwords that wait in too long a queue are told that the server is busy, and are no wrong guesses", async (t) => {
  const webhook = await startWebhook(t);
  const { password } = webhook.peers;
  webhook.peers.password = () => {
    throw new AppError("rate_limited", "too many logins at once; try again");
  };
  for (let n = 0; n < 12; n += 1) assert.equal(await connect(webhook, "right password"), "server_busy");
  assert.equal(lastReason(webhook), "busy");
  webhook.peers.password = password;
  assert.equal(await connect(webhook, "right password"), "ok");
});

test("605 wrong passwords or worthless tokens from a stranger lock nobody out", async (t) => {
  const webhook = await startWebhook(t);
  for (let n = 0; n < 605; n += 1) {
    const guess = n % 2 === 0 ? "wrong password" : "eyJhbGciOiJIUzI1NiJ9.e30.AAAA";
    assert.notEqual(await connect(webhook, guess, { peer_addr: "203.0.113.9" }), "ok");
  }
  assert.equal(await connect(webhook, "right password"), "ok");
  assert.equal(await connect(webhook, await webhook.token(), { peer_addr: "203.0.113.9" }), "ok");
});

test("a device that connects in a loop is told its rate, and its user's other devices are not touched by it", async (t) => {
  const webhook = await startWebhook(t, { AUTH_WEBHOOK_DEVICE_CONNECT_RATE: "5" });
  const token = await webhook.token();
  for (let n = 0; n < 5; n += 1) assert.equal(await connect(webhook, token), "ok");
  assert.equal(await connect(webhook, token), "connection_rate_exceeded");
  assert.equal(lastReason(webhook), "rate_limited");
  assert.equal(await connect(webhook, token, { peer_addr: "192.0.2.2" }), "ok", "at another address");
  const other = await webhook.token({ clientId: "alice:web" });
  assert.equal(await connect(webhook, other, { client_id: "alice:web" }), "ok");
});

test("a Redis that hangs delays no connect for long", async (t) => {
  const webhook = await startWebhook(t);
  webhook.redis.pause();
  assert.equal(await connect(webhook, "right password"), "ok");
  assert.ok(webhook.lines.some(({ event, reason }) => event === "failures_local" && String(reason).includes("100 ms")));
  webhook.redis.resume();
});

test("while NATS is away nobody gets in but by a valid token, and revocations still hold", async (t) => {
  const webhook = await startWebhook(t);
  const revoked = await webhook.token({ iat: 1 });
  webhook.nats.publish(subjects.revoked, JSON.stringify({ uid: "alice", before: 2, until: exp }));
  await eventually(async () => (await connect(webhook, revoked)) === "not_allowed");
  await webhook.natsServer.kill();
  assert.equal(await connect(webhook, await webhook.token()), "ok");
  assert.equal(await connect(webhook, revoked), "not_allowed");
  assert.equal(await connect(webhook, "right password"), "server_unavailable");
});

test("EdDSA by setting: with the signing key as seed, or a public key in a file; HS256 is refused then", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "parley-key-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const pair = generateKeyPairSync("ed25519");
  const file = join(dir, "public.pem");
  await writeFile(file, pair.publicKey.export({ type: "spki", format: "pem" }));
  const sign = (key: KeyObject) =>
    new SignJWT({ sub: "alice", clientId: "alice:phone", iat: now(), exp })
      .setProtectedHeader({ alg: "EdDSA" })
      .sign(key);
  const byFile = await startWebhook(t, { AUTH_WEBHOOK_TOKEN_ALG: "EdDSA", AUTH_WEBHOOK_TOKEN_PUBLIC_KEY: file });
  assert.equal(await connect(byFile, await sign(pair.privateKey)), "ok");
  assert.equal(await connect(byFile, await byFile.token()), "not_allowed");
  const bySeed = await startWebhook(t, { AUTH_WEBHOOK_TOKEN_ALG: "EdDSA" });
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex");
  const der = Buffer.concat([prefix, bySeed.secrets.signingKey]);
  assert.equal(await connect(bySeed, await sign(createPrivateKey({ key: der, format: "der", type: "pkcs8" }))), "ok");
  assert.equal(await connect(bySeed, await sign(pair.privateKey)), "not_allowed");
});

test("an external issuer's tokens are verified by its JWKS, issuer and audience; Parley's own stay good", async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: "k1", alg: "RS256", use: "sig" }] };
  const url = await serveJson(t, () => jwks);
  const webhook = await startWebhook(t, {
    AUTH_WEBHOOK_JWKS_URL: url,
    AUTH_WEBHOOK_ISSUER: "https://issuer.example",
    AUTH_WEBHOOK_AUDIENCE: "chat",
  });
  const sign = (more: object = {}) =>
    new SignJWT({ sub: "alice", iss: "https://issuer.example", aud: "chat", iat: now(), exp, ...more })
      .setProtectedHeader({ alg: "RS256", kid: "k1" })
      .sign(privateKey);
  assert.equal(await connect(webhook, await sign()), "ok");
  assert.equal(await connect(webhook, await sign(), { client_id: "alice:web" }), "ok", "it names no client id");
  assert.equal(await connect(webhook, await sign({ clientId: "alice:web" })), "not_allowed");
  assert.equal(await connect(webhook, await sign({ aud: "mail" })), "not_allowed");
  assert.equal(await connect(webhook, await sign({ iss: "https://other.example" })), "not_allowed");
  assert.equal(await connect(webhook, await sign({ sub: "bob" })), "not_allowed");
  const forged = { iss: "https://issuer.example", aud: "chat" };
  assert.equal(await connect(webhook, await webhook.token(forged)), "not_allowed", "HS256 in the issuer's name");
  assert.equal(await connect(webhook, await webhook.token()), "ok");
  assert.deepEqual(webhook.peers.asked.ensured, ["alice"], "its user is made at the first connect, and only then");
});

test("a JWKS without an issuer, or a key file that is none, stops the start with the setting's name", async (t) => {
  const jwks = startWebhook(t, { AUTH_WEBHOOK_JWKS_URL: "http://127.0.0.1:1" });
  await assert.rejects(jwks, /AUTH_WEBHOOK_ISSUER/);
  const key = startWebhook(t, { AUTH_WEBHOOK_TOKEN_ALG: "EdDSA", AUTH_WEBHOOK_TOKEN_PUBLIC_KEY: "/nowhere" });
  await assert.rejects(key, /AUTH_WEBHOOK_TOKEN_PUBLIC_KEY/);
});

test("a port that is taken stops the start with the setting's name", async (t) => {
  const { url } = await startWebhook(t);
  await assert.rejects(startWebhook(t, { AUTH_WEBHOOK_PORT: new URL(url).port }), /AUTH_WEBHOOK_PORT .* taken/);
});
