import assert from "node:assert/strict";
import { after, test } from "node:test";
import { AppError, accountPassword, type Caller, login, type Method, refresh } from "@parley/protocol";
import type { Pass } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { decodeJwt } from "jose";
import { foldKeptNames } from "../src/accounts/names/names.ts";
import { startFinishingChanges } from "../src/accounts/password-change.ts";
import type { Passwords } from "../src/accounts/passwords.ts";
import type { Revoke } from "../src/accounts/revoke.ts";
import { sessionMethods } from "../src/accounts/sessions.ts";
import { type TokenClaims, verifyToken } from "../src/accounts/tokens.ts";
import { userMethods } from "../src/accounts/users.ts";
import type { ApiStore } from "../src/store.ts";
import { callOf, startAccountsAlone } from "./accounts-alone.ts";
import type { Session } from "./surroundings.ts";

const alone = await startAccountsAlone({ after });
const { store, log, revoke, signingKey } = alone;

/** Passwords whose checks wait for the test. */
function heldPasswords() {
  const waiting: (() => void)[] = [];
  let holding = false;
  const passwords: Passwords = {
    hash: async (password) => `hash of ${password}`,
    verify: async (hash, password) => {
      if (holding) await new Promise<void>((resolve) => waiting.push(resolve));
      return hash === `hash of ${password}`;
    },
    waiting: () => waiting.length,
  };
  return {
    passwords,
    hold() {
      holding = true;
    },
    letGo() {
      holding = false;
      for (const go of waiting.splice(0)) go();
    },
  };
}

function accounts(passwords: Passwords, replaced: { store?: ApiStore; revoke?: Revoke; pass?: Pass } = {}) {
  const parts = { ...alone, passwords, ...replaced };
  const work = callOf([...userMethods(parts), ...sessionMethods(parts)]);
  const call = (method: Method["name"], params: object, caller: Partial<Caller> = {}, operation = "one") =>
    work(method, params, caller, operation);
  return { parts, call };
}

const dieAt =
  (point: string): Pass =>
  (passed) => {
    if (passed === point) throw new Error("killed");
  };

/** As a request by this session's token. */
async function callerOf({ uid, clientId, token }: Session): Promise<Partial<Caller>> {
  const { family } = decodeJwt<{ family: string }>(token);
  return { uid, clientId, family };
}

const families = async (uid: string) =>
  (await store.refreshTokens.find({ index: "device", equals: [uid], limit: 10 })).items.map(({ doc }) => doc.clientId);

test("a login whose password is changed while it is being checked leaves no session", async () => {
  const { passwords, hold, letGo } = heldPasswords();
  const { call } = accounts(passwords);
  await call("register", { username: "anna", password: "old password" });
  const mine = (await call(login.name, { username: "anna", password: "old password", device: "web" })) as Session;
  hold();
  const late = call(login.name, { username: "anna", password: "old password", device: "phone" });
  await eventually(() => passwords.waiting() === 1);
  const changer = accounts({ ...passwords, verify: async () => true });
  const change = { password: "old password", newPassword: "new password" };
  assert.deepEqual(await changer.call(accountPassword.name, change, await callerOf(mine)), {});
  letGo();
  const refused = await late;
  assert.ok(refused instanceof AppError && refused.code === "unauthenticated");
  assert.deepEqual(await families("anna"), ["anna:web"]);
});

test("a login under the name of the device that changes the password, checked meanwhile, leaves no session", async () => {
  const { passwords, hold, letGo } = heldPasswords();
  const { call } = accounts(passwords);
  await call("register", { username: "cora", password: "old password" });
  const logIn = async () =>
    (await call(login.name, { username: "cora", password: "old password", device: "web" })) as Session;
  const [mine, earlier] = [await logIn(), await logIn()];
  hold();
  const late = logIn();
  await eventually(() => passwords.waiting() === 1);
  const changer = accounts({ ...passwords, verify: async () => true });
  const change = { password: "old password", newPassword: "new password" };
  assert.deepEqual(await changer.call(accountPassword.name, change, await callerOf(mine)), {});
  letGo();
  const refused: unknown = await late;
  assert.ok(refused instanceof AppError && refused.code === "unauthenticated");
  const shown = await call(refresh.name, { refreshToken: earlier.refreshToken });
  assert.ok(shown instanceof AppError && shown.code === "unauthenticated");
  const next = (await call(refresh.name, { refreshToken: mine.refreshToken })) as Session;
  assert.equal(next.clientId, "cora:web");
  assert.deepEqual(await families("cora"), ["cora:web"]);
});

test("a refresh that began before the change and ends behind it makes no good token", async () => {
  const { passwords } = heldPasswords();
  const { call } = accounts(passwords);
  await call("register", { username: "dina", password: "old password" });
  const logIn = async () =>
    (await call(login.name, { username: "dina", password: "old password", device: "web" })) as Session;
  const [mine, other] = [await logIn(), await logIn()];
  const changed = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const slow: Revoke = {
    ...revoke,
    async issueTime(uid, clientId) {
      asked.resolve();
      await changed.promise;
      return revoke.issueTime(uid, clientId);
    },
  };
  const late = accounts(passwords, { revoke: slow }).call(refresh.name, { refreshToken: other.refreshToken });
  await asked.promise;
  // The families are still there: what decides is the user's document.
  const dies = accounts(passwords, { pass: dieAt("before-revocation") });
  const change = { password: "old password", newPassword: "new password" };
  await assert.rejects(dies.call(accountPassword.name, change, await callerOf(mine)), /killed/);
  changed.resolve();
  const made = (await late) as Session;
  const again = await call(refresh.name, { refreshToken: made.refreshToken });
  assert.ok(again instanceof AppError && again.code === "unauthenticated");
  const finishing = startFinishingChanges(accounts(passwords).parts, log);
  await finishing.first;
  await finishing.close();
  const claims = (token: string) => verifyToken(signingKey, token);
  assert.equal(revoke.refused((await claims(made.token)) as TokenClaims), true);
  assert.equal(revoke.refused((await claims(mine.token)) as TokenClaims), false);
});

test("a change of password that stood still until it was given up changes nothing any more", async (t) => {
  const { passwords } = heldPasswords();
  const { call, parts } = accounts(passwords);
  await call("register", { username: "edna", password: "old password" });
  const session = (await call(login.name, { username: "edna", password: "old password" })) as Session;
  const update: typeof store.users.update = async (...written) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 61_000 });
    const finishing = startFinishingChanges(parts, log);
    await finishing.first;
    await finishing.close();
    return store.users.update(...written);
  };
  const { users: real } = store;
  const users = { ...real, get: real.get.bind(real), update } as unknown as typeof real;
  const slow = accounts(passwords, { store: { ...store, users } });
  const change = { password: "old password", newPassword: "new password" };
  const refused: unknown = await slow.call(accountPassword.name, change, await callerOf(session));
  assert.ok(refused instanceof AppError && refused.code === "conflict");
  assert.equal(((await call(login.name, { username: "edna", password: "old password" })) as Session).uid, "edna");
});

test("names of a store whose users differ in case only are taken in every case, and all of them keep logging in", async () => {
  const { passwords } = heldPasswords();
  const { call } = accounts(passwords);
  for (const uid of ["Carl", "carl", "Dora"]) {
    await store.names.put([{ key: uid, doc: { kind: "user" } }]);
    const doc = {
      uid,
      passwordHash: `hash of ${uid}'s password`,
      name: null,
      createdAt: 1,
      kind: "user",
      madeBy: "x",
    } as const;
    await store.users.insert(uid, doc);
  }
  await foldKeptNames(store);
  for (const uid of ["Carl", "carl", "Dora"]) {
    const session = (await call(login.name, { username: uid, password: `${uid}'s password` })) as Session;
    assert.equal(session.uid, uid);
  }
  const dora = (await call(login.name, { username: "DORA", password: "Dora's password" })) as Session;
  assert.equal(dora.uid, "Dora");
  for (const username of ["CARL", "dora"]) {
    const refused = await call("register", { username, password: "some password" }, {}, username);
    assert.ok(refused instanceof AppError && refused.code === "conflict", username);
  }
});
