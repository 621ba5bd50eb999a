// What devices registered goes with their logins, through the whole system: however a device is logged out, and whoever changes what.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { callHttp, type Session } from "@parley/client";
import {
  accountPassword,
  accountRemove,
  devicesRemove,
  devicesRemoveOthers,
  keysCreate,
  login,
  logout,
  pushList,
  pushRegister,
  pushSettings,
  refresh,
  usersDisable,
  usersEnable,
} from "@parley/protocol";
import { readSecrets } from "@parley/runtime";
import { eventually, startTestCluster } from "@parley/testkit";
import { runParley } from "./parley.ts";
import { connectAs, password, registerAll } from "./people.ts";
import { freshFolder } from "./process-end.ts";

const cluster = await startTestCluster({ after });
const { http } = cluster.run();
const { servicesSecret } = readSecrets(join(cluster.wiring.dir, "secrets"));
const { key } = await callHttp(http, keysCreate, { name: "app" }, { token: servicesSecret });

const fcm = () => {
  const token = `fcm:${randomBytes(24).toString("hex")}`;
  return { kind: "fcm" as const, token, appId: "com.example.chat" };
};
const auth = (session: Session) => ({ token: session.token });

async function enter(uid: string, device: string): Promise<Session> {
  await registerAll(cluster, uid);
  return callHttp(http, login, { username: uid, password, device });
}

/** Registered over HTTP, and not connected. */
async function phone(uid: string, device: string): Promise<Session> {
  const session = await enter(uid, device);
  await callHttp(http, pushRegister, fcm(), auth(session));
  return session;
}

/** The devices of a user that are notified, as an application is told. */
async function devices(uid: string): Promise<string[]> {
  const { tokens } = await callHttp(http, pushList, { uid }, { token: key });
  return tokens.map(({ clientId }) => clientId.slice(uid.length + 1)).toSorted();
}

const are = (uid: string, expected: readonly string[]) =>
  eventually(async () => assert.deepEqual(await devices(uid), expected) ?? true);

test("a device that logs out, or that another one removes, is notified no more", async () => {
  const [own, other] = [await phone("ann", "own"), await phone("ann", "other")];
  for (const device of ["lost", "old", "older"]) await phone("ann", device);
  await are("ann", ["lost", "old", "older", "other", "own"]);
  await callHttp(http, devicesRemove, { clientId: "ann:lost" }, auth(own));
  await are("ann", ["old", "older", "other", "own"]);
  await callHttp(http, logout, {}, auth(other));
  await are("ann", ["old", "older", "own"]);
  await callHttp(http, devicesRemoveOthers, {}, auth(own));
  await are("ann", ["own"]);
});

test("after a change of password only the device that made it is notified, also one that is refreshed and registered over MQTT", async (t) => {
  await registerAll(cluster, "bob");
  await phone("bob", "thief");
  const { client } = await connectAs(t, cluster, "bob", { device: "typed" });
  await client.request(pushRegister, fcm());
  const first = await enter("bob", "own");
  const session = await callHttp(http, refresh, { refreshToken: first.refreshToken });
  const { client: own } = await connectAs(t, cluster, "bob", { session });
  await own.request(pushRegister, fcm());
  await are("bob", ["own", "thief", "typed"]);
  await callHttp(http, accountPassword, { password, newPassword: "another password" }, auth(session));
  await are("bob", ["own"]);
});

test("a user who is disabled is notified on no device", async () => {
  await phone("cal", "phone");
  await are("cal", ["phone"]);
  await callHttp(http, usersDisable, { uid: "cal" }, { token: key });
  await assert.rejects(devices("cal"), { code: "not_found" });
  await callHttp(http, usersEnable, { uid: "cal" }, { token: key });
  await are("cal", []);
});

test("of who erases the account push keeps nothing", async () => {
  const session = await enter("dan", "phone");
  const given = fcm();
  await callHttp(http, pushRegister, given, auth(session));
  const isOnDisk = () =>
    globSync(join(cluster.dir, "data/push/*")).some((file) => readFileSync(file).includes(given.token));
  assert.ok(isOnDisk());
  await callHttp(http, accountRemove, { password }, auth(session));
  await eventually(() => !isOnDisk());
});

test("an application registers for a device of its user, and asks how the user is notified", async () => {
  await enter("eve", "phone");
  const { id } = await callHttp(http, pushRegister, { ...fcm(), uid: "eve", clientId: "eve:phone" }, { token: key });
  const { tokens } = await callHttp(http, pushList, { uid: "eve" }, { token: key });
  assert.deepEqual(
    tokens.map((one) => one.id),
    [id],
  );
  assert.equal((await callHttp(http, pushSettings, { uid: "eve" }, { token: key })).preview, "full");
  await assert.rejects(callHttp(http, pushRegister, { ...fcm(), uid: "eve", clientId: "eve:none" }, { token: key }), {
    code: "not_found",
  });
});

test("parley push shows a user its devices' tokens and changes how it is notified, and says which word is wrong", async (t) => {
  const home = await freshFolder(t);
  const run = (...args: string[]) => runParley(t, { cluster, home }, ["push", ...args, "--user", "fay"]);
  await registerAll(cluster, "fay");
  const none = await run("list");
  assert.deepEqual([none.code, none.out], [0, ""]);
  assert.match(none.err, /none yet/);
  await phone("fay", "phone");
  assert.match((await run("list")).out, /^fay:phone {2}fcm {2}com\.example\.chat {2}en {2}….{6} {2}since 20\d\d-.*\n$/);
  const changed = await run("settings", "--preview", "none", "--mentions", "no", "--dnd-until", "2100-01-01T00:00Z");
  assert.deepEqual(changed.out.split("\n").slice(0, 3), [
    "shown: that there is something",
    "of mentions in muted conversations: no",
    "nothing until 2100-01-01T00:00:00.000Z",
  ]);
  const { vapidPublicKey: _, ...settings } = JSON.parse((await run("settings", "--dnd-until", "never", "--json")).out);
  assert.deepEqual(settings, { preview: "none", mentions: false, dndUntil: null });
  for (const [flag, word] of [
    ["--preview", "some"],
    ["--mentions", "maybe"],
    ["--dnd-until", "later"],
  ] as const) {
    const wrong = await run("settings", flag, word);
    assert.deepEqual([wrong.code, wrong.err.trim().split("\n").length], [2, 1], wrong.err);
    assert.match(wrong.err, new RegExp(flag));
  }
});
