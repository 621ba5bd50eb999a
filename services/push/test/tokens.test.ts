// Tokens on real NATS and SQLite, with api and presence played: whose they are, and when they go.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { AppError, type Caller, pushSettings, pushUpdateSettings, subjects } from "@parley/protocol";
import { callMethod, requestJson } from "@parley/runtime";
import { openStore } from "@parley/store";
import { eventually } from "@parley/testkit";
import { readRegistration } from "../src/tokens/check.ts";
import { openKept } from "../src/tokens/kept.ts";
import { registerToken } from "../src/tokens/register.ts";
import { startOthers } from "./others.ts";
import { callerOf, fcm, list, register, remove, startRegistered, storeFolder } from "./registered.ts";

const t = { after };
const others = await startOthers(t);
const { nats } = others;
const push = await startRegistered(t, others, await storeFolder(t));
await push.sound();

const now = () => Date.now() / 1000;
const keysOf = async (uid: string) => ((await push.tokens.ofUsers([uid])).get(uid) ?? []).map(({ key }) => key);
const told = async (uid: string, ids: readonly string[]) =>
  eventually(async () => assert.deepEqual((await keysOf(uid)).toSorted(), [...ids].toSorted()) ?? true);
/** Nothing of it is kept either. */
const gone = async (uid: string) => {
  await told(uid, []);
  await eventually(async () => (await list(nats, uid)).length === 0);
};

test("a token tells whoever registered it last, and nobody else from that moment on", async () => {
  const token = fcm();
  const { id } = await register(nats, callerOf("ann", "phone"), token);
  await told("ann", [id]);
  assert.deepEqual(await register(nats, callerOf("bob", "phone"), token), { id });
  assert.deepEqual([await keysOf("ann"), await keysOf("bob")], [[], [id]]);
  assert.equal((await push.tokens.get([id])).get(id)?.uid, "bob");
  await remove(nats, callerOf("bob", "phone"), {});
  await gone("bob");
});

test("a device has one token of a kind for an app: a newer one takes the earlier's place", async () => {
  const device = callerOf("ann", "pad");
  const first = await register(nats, device, fcm());
  const voip = await register(nats, device, { kind: "apns-voip", token: "ab".repeat(32), appId: "com.example.chat" });
  const other = await register(nats, device, { ...fcm(), appId: "com.example.other" });
  const second = await register(nats, device, fcm());
  await told("ann", [voip.id, other.id, second.id]);
  assert.ok(!(await list(nats, "ann")).some(({ id }) => id === first.id));
  await remove(nats, device, { id: other.id });
  await told("ann", [voip.id, second.id]);
  await remove(nats, device, {});
  await gone("ann");
});

test("nobody removes or registers for another one's device, and a list shows no whole token", async () => {
  const token = fcm();
  const { id } = await register(nats, callerOf("ann", "phone"), token);
  await assert.rejects(remove(nats, callerOf("bob", "phone"), { id }), { code: "not_found" });
  await assert.rejects(register(nats, callerOf("bob", "phone"), { ...token, uid: "ann" }), { code: "forbidden" });
  await assert.rejects(register(nats, callerOf("ann", "phone"), { ...token, clientId: "ann:pad" }), {
    code: "forbidden",
  });
  const [row, ...more] = await list(nats, "ann");
  assert.deepEqual([row?.id, row?.clientId, row?.token, more], [id, "ann:phone", `…${token.token.slice(-6)}`, []]);
  await remove(nats, callerOf("ann", "phone"), { id });
});

test("a device has ten tokens at most and a user a hundred: of more one is refused, and a known one is taken again", async () => {
  const apps = Array.from({ length: 10 }, (_, n) => ({ ...fcm(), appId: `app${n}` }));
  for (const app of apps) await register(nats, callerOf("max", "phone"), app);
  await assert.rejects(register(nats, callerOf("max", "phone"), { ...fcm(), appId: "app10" }), { code: "conflict" });
  await register(nats, callerOf("max", "phone"), { ...fcm(), appId: "app9" });
  for (let n = 0; n < 90; n++) await register(nats, callerOf("max", `d${n}`), fcm());
  await assert.rejects(register(nats, callerOf("max", "late"), fcm()), { code: "conflict" });
  await register(nats, callerOf("max", "d1"), fcm());
  await requestJson(nats, subjects.erasePush, { uid: "max" }, { timeoutMs: 30_000 });
});

test("a device that is logged out has no token, whether itself or another device ended it; others keep theirs", async () => {
  await register(nats, callerOf("ann", "phone"), fcm());
  const kept = await register(nats, callerOf("ann", "pad"), fcm());
  await others.revoke({ uid: "ann", clientId: "ann:phone", before: now() });
  await told("ann", [kept.id]);
  await eventually(async () => (await list(nats, "ann")).length === 1);
  const { id } = await register(nats, callerOf("ann", "phone"), fcm());
  await told("ann", [kept.id, id]);
  await others.revoke({ uid: "ann", before: now() });
  await gone("ann");
});

test("who shows a token of a session that was ended registers nothing", async () => {
  const late = callerOf("ann", "lost", { issuedAt: now() - 60 });
  await others.revoke({ uid: "ann", clientId: "ann:lost", before: now() - 30 });
  await eventually(async () =>
    register(nats, late, fcm()).then(
      () => false,
      ({ code }) => code === "unauthenticated",
    ),
  );
  assert.deepEqual(await list(nats, "ann"), []);
});

test("a change of password ends the tokens of all logins but the one that made it", async () => {
  const keep = "k".repeat(32);
  const before = { passwordSince: 1_000 };
  const changer = await register(nats, callerOf("bob", "phone", { ...before, family: keep }), fcm());
  await register(nats, callerOf("bob", "pad", { ...before, family: "p".repeat(32) }), fcm());
  others.connections.set("bob:tv", { uid: "bob", known: true, connection: { at: Date.now(), ...before } });
  await register(nats, { uid: "bob", clientId: "bob:tv", via: "mqtt" }, fcm());
  await others.revoke({ uid: "bob", before: now() + 10, password: { since: 2_000, keep } });
  await told("bob", [changer.id]);
  await eventually(async () => (await list(nats, "bob")).length === 1);
  await remove(nats, callerOf("bob", "phone"), {});
});

test("of several logins under one client id the one that changes the password keeps its token, another one's goes", async () => {
  const caller: Caller = { uid: "bob", clientId: "bob:watch", via: "mqtt" };
  const made = { at: Date.now(), issuedAt: now() - 100, passwordSince: 3_000 };
  const connect = (family: string) =>
    others.connections.set("bob:watch", { uid: "bob", known: true, connection: { ...made, family } });
  const [first, second] = ["o".repeat(32), "l".repeat(32)];
  others.logins.set("bob", [{ clientId: "bob:watch", at: Date.now(), families: [first, second] }]);
  connect(first);
  const { id } = await register(nats, caller, fcm());
  await register(nats, callerOf("bob", "other", { passwordSince: 3_000, family: "z".repeat(32) }), fcm());
  await others.revoke({ uid: "bob", before: now() + 10, password: { since: 4_000, keep: first } });
  // The other one has gone: it was looked at.
  await eventually(
    async () =>
      assert.deepEqual(
        (await list(nats, "bob")).map((one) => one.id),
        [id],
      ) ?? true,
  );
  await told("bob", [id]);
  await others.revoke({ uid: "bob", before: now() + 20, password: { since: 5_000, keep: second } });
  await gone("bob");
  others.logins.set("bob", []);
});

test("a device that nobody knows the connection of is of its one login, if it has one", async () => {
  const family = "e".repeat(32);
  const [phone, pad] = ["phone", "pad"].map(
    (device): Caller => ({ uid: "fay", clientId: `fay:${device}`, via: "mqtt" }),
  );
  const [at, passwordSince] = [Date.now(), 3_000];
  others.logins.set("fay", [
    { clientId: "fay:phone", at, passwordSince, families: [family] },
    { clientId: "fay:pad", at, passwordSince, families: [family, "x".repeat(32)] },
  ]);
  const { id } = await register(nats, phone!, fcm());
  await register(nats, pad!, fcm());
  await others.revoke({ uid: "fay", before: now() + 10, password: { since: 4_000, keep: family } });
  await eventually(async () => (await list(nats, "fay")).length === 1);
  await told("fay", [id]);
  await others.revoke({ uid: "fay", before: now() + 20, password: { since: 5_000, keep: "y".repeat(32) } });
  await gone("fay");
  others.logins.delete("fay");
});

test("a token that one account of a login registered for another goes with the device's login too", async () => {
  others.connections.set("chat-1", { uid: "cid", known: true, connection: { at: Date.now(), issuedAt: now() - 5 } });
  const { id } = await register(nats, { uid: "dan", clientId: "chat-1", via: "mqtt" }, fcm());
  await told("dan", [id]);
  await others.revoke({ uid: "cid", clientId: "chat-1", before: now() });
  await gone("dan");
});

test("a server key registers for a user's device that is known, and for nobody else's", async () => {
  const key: Caller = { uid: "", clientId: "key:1", via: "key" };
  others.logins.set("ann", [{ clientId: "ann:car", at: Date.now(), families: ["c".repeat(32)] }]);
  const { id } = await register(nats, key, { ...fcm(), uid: "ann", clientId: "ann:car" });
  await told("ann", [id]);
  for (const [params, code] of [
    [{ uid: "ann", clientId: "ann:unknown" }, "not_found"],
    [{ uid: "nobody", clientId: "nobody:x" }, "not_found"],
    [{ uid: "ann" }, "invalid_packet"],
    [{ clientId: "ann:car" }, "invalid_packet"],
  ] as const)
    await assert.rejects(register(nats, key, { ...fcm(), ...params }), { code }, JSON.stringify(params));
  await remove(nats, key, { uid: "ann", clientId: "ann:car" });
  await gone("ann");
});

test("of an account that is erased neither tokens nor settings are left, asked once or twice", async () => {
  await register(nats, callerOf("eve", "phone"), fcm());
  await callMethod(nats, pushUpdateSettings, callerOf("eve", "phone"), { preview: "none" }, { timeoutMs: 30_000 });
  for (let n = 0; n < 2; n++) await requestJson(nats, subjects.erasePush, { uid: "eve" }, { timeoutMs: 30_000 });
  await gone("eve");
  assert.deepEqual((await push.settings.ofUsers(["eve"])).get("eve"), {
    preview: "full",
    mentions: true,
    dndUntil: null,
  });
  await assert.rejects(requestJson(nats, subjects.erasePush, { uid: "no uid" }, { timeoutMs: 30_000 }), {
    code: "invalid_packet",
  });
});

test("settings are of all devices, and what is not said stays as it was", async () => {
  const caller = callerOf("ann", "phone");
  const ask = () => callMethod(nats, pushSettings, callerOf("ann", "pad"), {}, { timeoutMs: 30_000 });
  const change = (params: object) => callMethod(nats, pushUpdateSettings, caller, params, { timeoutMs: 30_000 });
  assert.deepEqual(await ask(), { preview: "full", mentions: true, dndUntil: null, vapidPublicKey: "key" });
  await push.settings.ofUsers(["ann"]);
  await change({ preview: "name", dndUntil: 5_000 });
  await change({ mentions: false });
  assert.deepEqual(await ask(), { preview: "name", mentions: false, dndUntil: 5_000, vapidPublicKey: "key" });
  const known = (await push.settings.ofUsers(["ann", "bob"])).get("ann");
  assert.deepEqual(known, { preview: "name", mentions: false, dndUntil: 5_000 });
  assert.equal((await change({ dndUntil: null })).dndUntil, null);
});

test("a token that a provider calls gone is kept if it was registered since", async () => {
  const before = Date.now() - 1;
  const { id } = await register(nats, callerOf("ann", "phone"), fcm());
  assert.equal(await push.tokens.remove(id, before), false);
  await told("ann", [id]);
  assert.equal(await push.tokens.remove(id, Date.now() + 1), true);
  await gone("ann");
});

test("a device that is logged out before or while it registers keeps no token, and takes none from anybody", async (t) => {
  const store = await openStore(await storeFolder(t), { service: "push" });
  t.after(() => store.close());
  const kept = await openKept(store.documents());
  let answers: boolean[] = [];
  const parts = { kept, revoked: { isRevoked: () => answers.shift()! }, changed: () => {}, pass: () => {} };
  const deviceOf = (uid: string) => ({ uid, owner: uid, clientId: `${uid}:phone`, credential: { issuedAt: now() } });
  const given = readRegistration(fcm());
  assert.ok(!(given instanceof AppError));
  const isRefused = async (uid: string, ...revoked: boolean[]) => {
    answers = revoked;
    const refused = await registerToken(parts, deviceOf(uid), given);
    return refused instanceof AppError && refused.code === "unauthenticated";
  };
  assert.equal(await isRefused("ann", false, true), true, "while it registers");
  assert.deepEqual((await kept.find({ limit: 10 })).items, []);
  assert.equal(await isRefused("ann", false, false), false);
  assert.equal(await isRefused("bob", true, true), true, "before");
  const owners = (await kept.find({ limit: 10 })).items.map(({ doc }) => doc.uid);
  assert.deepEqual(owners, ["ann"]);
});
