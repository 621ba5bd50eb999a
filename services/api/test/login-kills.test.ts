// kill -9 of the real api between the steps that change which accounts a login has.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Revocation, subjects } from "@parley/protocol";
import type { Checkpoint } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { startApiProcess } from "./api-process.ts";
import { password, type Session } from "./surroundings.ts";

const api = await startApiProcess({ after });
await api.start();
const newPassword = "a new password";
const post = (path: string, token: string | undefined, json: object) =>
  api.call("POST", path, { json, ...(token && { token }), headers: { "idempotency-key": `k-${path}` } });
const logIn = (username: string, by = password) => api.call("POST", "/login", { json: { username, password: by } });
async function user(username: string): Promise<Session> {
  await api.call("POST", "/register", { json: { username, password } });
  return (await logIn(username)).body as Session;
}
const list = async (token: string): Promise<string[]> =>
  (await api.call("GET", "/accounts", { token })).body.accounts.map(({ uid }: { uid: string }) => uid);
const isBelieved = async (token: string) => (await api.call("GET", "/rooms/none", { token })).status === 404;

/** Dies there, and another one lives. */
async function dieAt(point: Checkpoint, work: () => Promise<unknown>): Promise<Revocation[]> {
  await api.kill();
  await api.start(point);
  await assert.rejects(work());
  assert.equal(await api.died(), "SIGKILL");
  const heard: Revocation[] = [];
  api.nats.subscribe(subjects.revoked, { callback: (_, message) => void heard.push(message.json()) });
  await api.nats.flush();
  await api.start();
  return heard;
}

for (const [point, isMade] of [
  ["before-login-shared", false],
  ["before-added", false],
  ["before-login-settled", true],
] as const)
  test(`an account whose making dies ${point} is ${isMade ? "there" : "not there"}, and made when it is asked again`, async () => {
    const uid = `new-${point}`;
    const { token } = await user(`n-${point}`);
    await dieAt(point, () => post("/accounts", token, { uid }));
    assert.ok(await isBelieved(token));
    assert.equal((await list(token)).includes(uid), isMade);
    assert.equal((await logIn(`n-${point}`)).status, 200);
    assert.equal((await logIn(uid)).status, isMade ? 200 : 401);
    assert.deepEqual((await post("/accounts", token, { uid })).body, { uid });
    assert.deepEqual(await list(token), [`n-${point}`, uid]);
    assert.equal((await logIn(uid)).status, 200);
  });

for (const [point, isMade] of [
  ["before-added", false],
  ["before-moved", false],
  ["before-move-revocation", true],
  ["before-login-settled", true],
] as const)
  test(`an account that is taken in by an api that dies ${point} is ${isMade ? "of the new login, and its old sessions end" : "as it was"}`, async () => {
    const [owner, uid] = [`t-${point}`, `old-${point}`];
    const [{ token }, old] = [await user(owner), await user(uid)];
    const heard = await dieAt(point, () => post("/accounts", token, { uid, password }));
    if (isMade) await eventually(() => heard.some((one) => one.uid === uid) || point === "before-login-settled");
    await eventually(async () => (await isBelieved(old.token)) === !isMade);
    const refreshed = await api.call("POST", "/refresh", { json: { refreshToken: old.refreshToken } });
    assert.equal(refreshed.status, isMade ? 401 : 200);
    assert.deepEqual(await list(token), isMade ? [owner, uid] : [owner]);
    assert.equal((await post("/accounts", token, { uid, password })).status, 200);
    assert.deepEqual((await list(token)).sort(), [owner, uid].sort());
    assert.equal(await isBelieved(old.token), false);
    assert.equal((await logIn(uid)).status, 200);
  });

for (const [point, isMade] of [
  ["before-moved", false],
  ["before-move-revocation", true],
] as const)
  test(`an account that is let go by an api that dies ${point} is ${isMade ? "a login of its own" : "of its login still"}`, async () => {
    const [owner, uid] = [`r-${point}`, `gone-${point}`];
    const { token } = await user(owner);
    await post("/accounts", token, { uid });
    const shop = (await logIn(uid)).body as Session;
    const path = `/accounts/${uid}/release`;
    await dieAt(point, () => post(path, token, { password, newPassword }));
    await eventually(async () => (await isBelieved(shop.token)) === !isMade);
    assert.deepEqual(await list(token), isMade ? [owner] : [owner, uid]);
    assert.equal((await logIn(uid, newPassword)).status, isMade ? 200 : 401);
    assert.deepEqual((await post(path, token, { password, newPassword })).body, { uid });
    assert.deepEqual(await list(token), [owner]);
    assert.equal((await logIn(uid, newPassword)).status, 200);
    assert.equal(await isBelieved(shop.token), false);
  });

test("a change of a login's password that dies before it is told ends the sessions of all its accounts when the next api serves", async () => {
  const { token } = await user("p");
  await post("/accounts", token, { uid: "p.two" });
  const two = (await logIn("p.two")).body as Session;
  await dieAt("before-revocation", () => post("/password", token, { password, newPassword }));
  assert.equal(await isBelieved(two.token), false);
  assert.ok(await isBelieved(token));
  for (const username of ["p", "p.two"]) {
    assert.equal((await logIn(username)).status, 401);
    assert.equal((await logIn(username, newPassword)).status, 200);
  }
});
