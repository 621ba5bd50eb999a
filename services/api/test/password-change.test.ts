import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AppError, accountPassword, type Caller, login, type Method } from "@parley/protocol";
import { connectNats } from "@parley/runtime";
import { openStore } from "@parley/store";
import { eventually, serviceContext, startServers } from "@parley/testkit";
import { foldKeptNames } from "../src/accounts/names.ts";
import { startFinishingChanges } from "../src/accounts/password-change.ts";
import type { Passwords } from "../src/accounts/passwords.ts";
import { type Revoke, startRevoke } from "../src/accounts/revoke.ts";
import { sessionMethods } from "../src/accounts/sessions.ts";
import { userMethods } from "../src/accounts/users.ts";
import { openApiStore } from "../src/store.ts";
import type { Session } from "./surroundings.ts";

const folder = await mkdtemp(join(tmpdir(), "parley-accounts-"));
const { nats: natsServer } = await startServers({ after }, { nats: true });
const context = serviceContext("api", { signingKey: Buffer.alloc(32, 1), servicesSecret: "", hookSecret: "" });
const nats = await connectNats({ url: natsServer.url, name: "test", log: context.log });
const kept = await openStore(`sqlite:${folder}`, { service: "api" });
const store = await openApiStore(kept.documents());
const revoke = await startRevoke({ store, nats, log: context.log });
after(async () => {
  await revoke.close();
  await kept.close();
  await nats.close();
  await rm(folder, { recursive: true, force: true });
});

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

function accounts(passwords: Passwords, revoking: Revoke = revoke) {
  const limits = { guess: (_user: string, _address: string, check: () => Promise<boolean>) => check() };
  const parts = { store, passwords, revoke: revoking, limits, log: context.log };
  const signingKey = context.secrets().signingKey;
  const bound = [
    ...userMethods({ ...parts, registerAllowed: true, registrations: { take: () => 0, peek: () => 0 } }),
    ...sessionMethods({ ...parts, signingKey, mqtt: { host: "h", port: 1 } }),
  ];
  const call = async (method: Method["name"], params: object, caller: Partial<Caller> = {}, operation = "one") => {
    const work = bound.find((one) => one.method.name === method)?.work;
    return work?.(params as never, { caller: { uid: "", via: "http", ...caller }, operation, address: "a", ws: "" });
  };
  return { parts, call };
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
  assert.deepEqual(await changer.call(accountPassword.name, change, { uid: "anna", clientId: mine.clientId }), {});
  letGo();
  const refused = await late;
  assert.ok(refused instanceof AppError && refused.code === "unauthenticated");
  assert.deepEqual(await families("anna"), ["anna:web"]);
});

test("a change of password whose process died before it logged the others out is finished by the next", async () => {
  const { passwords } = heldPasswords();
  const { call } = accounts(passwords);
  await call("register", { username: "bert", password: "old password" });
  for (const device of ["web", "phone"]) await call(login.name, { username: "bert", password: "old password", device });
  const dies: Revoke = { ...revoke, otherDevices: () => Promise.reject(new Error("killed")) };
  const dying = accounts(passwords, dies);
  const change = { password: "old password", newPassword: "new password" };
  await assert.rejects(dying.call(accountPassword.name, change, { uid: "bert", clientId: "bert:web" }), /killed/);
  assert.equal((await families("bert")).length, 2);
  // Nobody knows what presence knows: what is left is tried until it does.
  const finishing = startFinishingChanges({ ...accounts(passwords).parts }, context.log);
  await eventually(async () => (await families("bert")).join() === "bert:web");
  await finishing.close();
  assert.equal((await store.passwordChanges.find({ limit: 10 })).items.length > 0, true);
  const { parts } = accounts(passwords, { ...revoke, otherDevices: async () => true });
  const again = startFinishingChanges(parts, context.log);
  await eventually(async () => (await store.passwordChanges.find({ limit: 10 })).items.length === 0);
  await again.close();
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
