// What is kept of logins that several accounts share, and what clocks and processes that stand still do to it.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  AppError,
  accountPassword,
  accountsAdd,
  accountsRelease,
  type Caller,
  login,
  type Method,
  refresh,
} from "@parley/protocol";
import type { Pass } from "@parley/runtime";
import { settleLogins } from "../src/accounts/logins/share.ts";
import { loginMethods } from "../src/accounts/own-accounts.ts";
import { startFinishingChanges } from "../src/accounts/password-change.ts";
import type { Passwords } from "../src/accounts/passwords.ts";
import { sessionMethods } from "../src/accounts/sessions.ts";
import { type TokenClaims, verifyToken } from "../src/accounts/tokens.ts";
import { userMethods } from "../src/accounts/users.ts";
import { closeAccount, type ErasureParts } from "../src/erasure/erase.ts";
import type { ApiStore } from "../src/store.ts";
import { callOf, startAccountsAlone } from "./accounts-alone.ts";
import type { Session } from "./surroundings.ts";

const alone = await startAccountsAlone({ after });
const { store, revoke, log, pass, signingKey } = alone;

const passwords: Passwords = {
  hash: async (password) => `hash of ${password}`,
  verify: async (hash, password) => hash === `hash of ${password}`,
  waiting: () => 0,
};
const password = "the password";

function callerOn(replaced: { store?: ApiStore; passwords?: Passwords; pass?: Pass } = {}) {
  const parts = { ...alone, passwords, ...replaced };
  const bound = [...userMethods(parts), ...loginMethods(parts), ...sessionMethods(parts)];
  const call = callOf(bound);
  let requests = 0;
  return (method: Method["name"], params: object, caller: Partial<Caller> = {}) =>
    call(method, params, caller, `${caller.uid} ${++requests} ${Math.random()}`);
}

const call = callerOn();
const logins = async () => (await store.logins.find({ limit: 100 })).items.map(({ doc }) => doc);
const logIn = async (username: string, by = password) =>
  (await call(login.name, { username, password: by })) as Session;
const isRefused = async ({ token }: Session) => revoke.refused((await verifyToken(signingKey, token)) as TokenClaims);

async function register(username: string): Promise<void> {
  assert.deepEqual(await call("register", { username, password }), { uid: username });
}

test("a login is kept as long as it has an account, and its password goes with the last one", async () => {
  await register("ann");
  assert.deepEqual(await logins(), [], "one account is a login by itself");
  assert.deepEqual(await call(accountsAdd.name, { uid: "ann.two" }, { uid: "ann" }), { uid: "ann.two" });
  const history = { doors: async () => undefined } as unknown as ErasureParts["history"];
  const erase = (uid: string) =>
    closeAccount({ store, revoke, history, pass } as ErasureParts, { uid, version: 1, begunAt: Date.now() });
  await erase("ann");
  const left = await logIn("ann.two");
  assert.equal(left.uid, "ann.two");
  assert.equal((await logins()).length, 1);
  await erase("ann.two");
  assert.deepEqual(await logins(), []);
  assert.equal((await logIn("ann.two")) instanceof AppError, true);
});

test("a password changed by a clock that is behind ends the sessions of an account that came in by one that is ahead", async (t) => {
  for (const uid of ["ben", "ben.old"]) await register(uid);
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 120_000 });
  await call(accountsAdd.name, { uid: "ben.old", password }, { uid: "ben" });
  const old = await logIn("ben.old");
  t.mock.timers.reset();
  assert.equal(await isRefused(old), false);
  const change = { password, newPassword: "a new password" };
  assert.deepEqual(await call(accountPassword.name, change, { uid: "ben" }), {});
  assert.equal(await isRefused(old), true);
  const refreshed = await call(refresh.name, { refreshToken: old.refreshToken });
  assert.ok(refreshed instanceof AppError && refreshed.code === "unauthenticated");
});

test("a login that was begun by who died is removed, and nobody finds it after a minute", async (t) => {
  await register("cleo");
  const dies = callerOn({
    pass: (point) => {
      if (point === "before-login-shared") throw new Error("killed");
    },
  });
  const before = (await logins()).length;
  await assert.rejects(dies(accountsAdd.name, { uid: "cleo.two" }, { uid: "cleo" }), /killed/);
  await settleLogins(store);
  assert.equal((await logins()).length, before + 1, "somebody may have it in hand");
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 61_000 });
  await settleLogins(store);
  assert.equal((await logins()).length, before);
  t.mock.timers.reset();
  assert.equal((await logIn("cleo")).uid, "cleo");
});

test("who stood still with an account in hand until it was given up adds it no more", async (t) => {
  for (const uid of ["dan", "dan.old"]) await register(uid);
  const { users: real } = store;
  const update: typeof real.update = async (key, doc, version) => {
    if (key === "dan.old") {
      t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 61_000 });
      await settleLogins(store);
      t.mock.timers.reset();
    }
    return real.update(key, doc, version);
  };
  const slow = callerOn({ store: { ...store, users: usersWith({ update }) } });
  const refused = await slow(accountsAdd.name, { uid: "dan.old", password }, { uid: "dan" });
  assert.ok(refused instanceof AppError && refused.code === "conflict");
  assert.equal((await store.users.get("dan.old"))?.doc.login, undefined);
  assert.equal((await logIn("dan.old")).uid, "dan.old");
});

test("while one account is added no other is, and then it may be", async () => {
  await register("flo");
  const dies = callerOn({
    pass: (point) => {
      if (point === "before-added") throw new Error("killed");
    },
  });
  await assert.rejects(dies(accountsAdd.name, { uid: "flo.two" }, { uid: "flo" }), /killed/);
  const other = await call(accountsAdd.name, { uid: "flo.three" }, { uid: "flo" });
  assert.ok(other instanceof AppError && other.code === "conflict");
  assert.deepEqual(await call(accountsAdd.name, { uid: "flo.two" }, { uid: "flo" }), { uid: "flo.two" });
  assert.deepEqual(await call(accountsAdd.name, { uid: "flo.three" }, { uid: "flo" }), { uid: "flo.three" });
});

const newPassword = "a new password";
const change = { password, newPassword };
const release = (uid: string) =>
  [accountsRelease.name, { uid, password, newPassword: "whose hands it fell in" }] as const;

/** A caller whose moves of the account wait, with all that they read, until `meanwhile` is done. */
function heldOver(uid: string, meanwhile: () => Promise<unknown>) {
  const { users: real } = store;
  const update: typeof real.update = async (key, doc, version) => {
    if (key === uid) await meanwhile();
    return real.update(key, doc, version);
  };
  return callerOn({ store: { ...store, users: usersWith({ update }) } });
}

function usersWith(replaced: Partial<ApiStore["users"]>): ApiStore["users"] {
  const { users: real } = store;
  return {
    ...{ get: real.get.bind(real), getMany: real.getMany.bind(real), find: real.find.bind(real) },
    ...{ update: real.update.bind(real), ...replaced },
  } as unknown as typeof real;
}

/** A login with two accounts, and the second one's name. */
async function registerTwo(owner: string): Promise<string> {
  await register(owner);
  const uid = `${owner}.two`;
  assert.deepEqual(await call(accountsAdd.name, { uid }, { uid: owner }), { uid });
  return uid;
}

const finishChanges = async () => {
  const finishing = startFinishingChanges(
    { store, passwords, revoke, pass, limits: { guess: async () => false } },
    log,
  );
  await finishing.first;
  await finishing.close();
};

const dies = callerOn({
  pass: (point) => {
    if (point === "before-revocation") throw new Error("killed");
  },
});

for (const [end, changed] of [
  ["changed", async (uid: string) => assert.deepEqual(await call(accountPassword.name, change, { uid }), {})],
  [
    "changed by who died, and finished by another",
    async (uid: string) => {
      await assert.rejects(dies(accountPassword.name, change, { uid }), /killed/);
      await finishChanges();
    },
  ],
] as const)
  for (const [what, mover, ask] of [
    ["let go", undefined, release],
    ["taken in", "mallory", (uid: string) => [accountsAdd.name, { uid, password }] as const],
  ] as const)
    test(`an account is not ${what} by a password that was ${end} before the account was moved`, async () => {
      const owner = `gus.${what.slice(0, 3)}.${end.length}`;
      const uid = await registerTwo(owner);
      if (mover) await register(`${mover}.${owner}`);
      const before = (await store.users.get(uid))?.doc;
      let mine: Session | undefined;
      const slow = heldOver(uid, async () => {
        await changed(owner);
        mine = await logIn(uid, newPassword);
      });
      const refused = await slow(...ask(uid), { uid: mover ? `${mover}.${owner}` : owner });
      assert.ok(refused instanceof AppError && refused.code === "conflict");
      assert.deepEqual((await store.users.get(uid))?.doc, before);
      assert.equal(await isRefused(mine!), false);
      const next = (await call(refresh.name, { refreshToken: mine!.refreshToken })) as Session;
      assert.equal(next.uid, uid);
      assert.equal((await logIn(uid, newPassword)).uid, uid);
      assert.ok((await logIn(uid)) instanceof AppError);
    });

test("an account is not let go by a password that was changed while the new one was made, also when that change is not told yet", async () => {
  const uid = await registerTwo("hugo");
  const hash = async (made: string) => {
    await assert.rejects(dies(accountPassword.name, change, { uid: "hugo" }), /killed/);
    return passwords.hash(made, "a");
  };
  const slow = callerOn({ passwords: { ...passwords, hash } });
  const refused = await slow(...release(uid), { uid: "hugo" });
  assert.ok(refused instanceof AppError && refused.code === "conflict");
  assert.equal((await logIn(uid, newPassword)).uid, uid);
});

test("an account that is let go while its login's password is changed logs in, and that change ends none of its sessions", async (t) => {
  const uid = await registerTwo("ivo");
  const released = Promise.withResolvers<void>();
  const found = Promise.withResolvers<void>();
  let changing: Promise<unknown> | undefined;
  const slow = heldOver(uid, async () => {
    // Its clock is ahead of the one that lets go.
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 120_000 });
    let finds = 0;
    const find: ApiStore["users"]["find"] = async (query) => {
      const accounts = await store.users.find(query);
      if (++finds < 2) return accounts;
      found.resolve();
      await released.promise;
      return accounts;
    };
    const changer = callerOn({ store: { ...store, users: usersWith({ find }) } });
    changing = changer(accountPassword.name, change, { uid: "ivo" });
    await found.promise;
  });
  assert.deepEqual(await slow(...release(uid), { uid: "ivo" }), { uid });
  released.resolve();
  assert.deepEqual(await changing, {});
  t.mock.timers.reset();
  const own = await logIn(uid, "whose hands it fell in");
  assert.equal(own.uid, uid);
  assert.equal(await isRefused(own), false);
  assert.ok((await logIn(uid, newPassword)) instanceof AppError);
});
