// kill -9 of the real api between the steps of a refresh and of a change of password.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Revocation, subjects } from "@parley/protocol";
import { requestJson } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { type ApiProcess, startApiProcess } from "./api-process.ts";
import { password, type Session } from "./surroundings.ts";

const newPassword = "a new password";

async function register(api: ApiProcess, username: string): Promise<void> {
  assert.equal((await api.call("POST", "/register", { json: { username, password } })).status, 200);
}

async function logIn(api: ApiProcess, username: string, device: string, by = password): Promise<Session | number> {
  const { status, body } = await api.call("POST", "/login", { json: { username, password: by, device } });
  return status === 200 ? (body as Session) : status;
}

const refresh = (api: ApiProcess, refreshToken: string) => api.call("POST", "/refresh", { json: { refreshToken } });
const isBelieved = async (api: ApiProcess, token: string) =>
  (await api.call("GET", "/rooms/none", { token })).status === 404;

for (const point of ["before-refresh", "before-refresh-reply"] as const)
  test(`a refresh that dies ${point} is answered with one successor when it is sent again`, async (t) => {
    const api = await startApiProcess(t);
    await api.start(point);
    await register(api, "alice");
    const { refreshToken } = (await logIn(api, "alice", "web")) as Session;
    await assert.rejects(refresh(api, refreshToken));
    assert.equal(await api.died(), "SIGKILL");
    await api.start();
    const answers = [await refresh(api, refreshToken), await refresh(api, refreshToken)];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    );
    const [one, same] = answers.map(({ body }) => body as Session);
    assert.equal(one?.refreshToken, same?.refreshToken);
    assert.ok(await isBelieved(api, one!.token));
    const next = await refresh(api, one!.refreshToken);
    assert.equal(next.status, 200);
    assert.equal((await refresh(api, refreshToken)).body.refreshToken, next.body.refreshToken);
  });

const points = [
  ["before-password", false],
  ["before-revocation", true],
  ["before-announcement", true],
  ["before-password-reply", true],
] as const;

for (const [point, isMade] of points)
  test(`a change of password that dies ${point} is ${isMade ? "finished" : "not begun"} when the next api serves`, async (t) => {
    const api = await startApiProcess(t);
    await api.start(point);
    await register(api, "alice");
    const mine = (await logIn(api, "alice", "web")) as Session;
    const others = [await logIn(api, "alice", "web"), await logIn(api, "alice", "phone")] as Session[];
    const change = { token: mine.token, json: { password, newPassword }, headers: { "idempotency-key": "change" } };
    await assert.rejects(api.call("POST", "/password", change));
    assert.equal(await api.died(), "SIGKILL");
    const heard: Revocation[] = [];
    api.nats.subscribe(subjects.revoked, { callback: (_, message) => void heard.push(message.json()) });
    await api.nats.flush();
    await api.start();

    for (const { token, refreshToken } of others) {
      assert.equal(await isBelieved(api, token), !isMade);
      assert.equal((await refresh(api, refreshToken)).status, isMade ? 401 : 200);
    }
    assert.ok(await isBelieved(api, mine.token));
    assert.equal((await refresh(api, mine.refreshToken)).status, 200);
    assert.equal(typeof (await logIn(api, "alice", "old", password)), isMade ? "number" : "object");
    assert.equal(typeof (await logIn(api, "alice", "new", newPassword)), isMade ? "object" : "number");
    if (isMade) await eventually(() => heard.some(({ password: told }) => told !== undefined));

    // The device that was not answered asks again: the change is made, once.
    assert.equal((await api.call("POST", "/password", change)).status, 200);
    for (const { token } of others) assert.equal(await isBelieved(api, token), false);
    assert.ok(await isBelieved(api, mine.token));
    assert.equal(typeof (await logIn(api, "alice", "web", newPassword)), "object");
    const listed = await requestJson<{ revocations: Revocation[] }>(
      api.nats,
      subjects.revocations,
      {},
      { timeoutMs: 30_000 },
    );
    assert.equal(listed.revocations.filter(({ uid }) => uid === "alice").length, 1);
  });

test("a registration that dies before there is a user leaves nobody who logs in or is found, and is made when it is sent again", async (t) => {
  const api = await startApiProcess(t);
  await api.start("before-user:2");
  await register(api, "bob");
  const { token } = (await logIn(api, "bob", "web")) as Session;
  const json = { username: "alice", password, name: "Alice" };
  const headers = { "idempotency-key": "register" };
  await assert.rejects(api.call("POST", "/register", { json, headers }));
  assert.equal(await api.died(), "SIGKILL");
  await api.start();
  const found = async () =>
    (await api.call("GET", "/users?query=alice", { token })).body.users.map(({ uid }: { uid: string }) => uid);
  assert.equal(await logIn(api, "alice", "web"), 401);
  assert.equal((await api.call("GET", "/users/alice", { token })).status, 404);
  assert.deepEqual(await found(), []);
  assert.equal((await api.call("POST", "/register", { json, headers })).status, 200);
  assert.equal(typeof (await logIn(api, "alice", "web")), "object");
  assert.deepEqual(await found(), ["alice"]);
});
