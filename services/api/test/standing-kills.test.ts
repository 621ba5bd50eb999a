// kill -9 of the real api between the steps of disabling a user.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Door, type Revocation, subjects } from "@parley/protocol";
import { readSecrets } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { startApiProcess } from "./api-process.ts";
import { startHistoryProcess } from "./history-process.ts";
import { password, type Session } from "./surroundings.ts";

const api = await startApiProcess({ after });
await api.start();
startHistoryProcess({ after }, api);
const { servicesSecret } = readSecrets(`${api.folder}/secrets`);
const key = (await api.call("POST", "/keys", { token: servicesSecret, json: { name: "shop" } })).body.key as string;
const logIn = async (username: string) =>
  (await api.call("POST", "/login", { json: { username, password } })).body as Session;
const isBelieved = async (token: string) => (await api.call("GET", "/rooms/none", { token })).status === 404;

const points = [
  ["before-standing", false],
  ["before-standing-revocation", true],
  ["before-standing-doors", true],
] as const;

for (const [point, isMade] of points)
  test(`disabling a user that dies ${point} is ${isMade ? "finished" : "not begun"} when the next api serves`, async () => {
    const username = `u-${point}`;
    await api.call("POST", "/register", { json: { username, password } });
    const { token, refreshToken } = await logIn(username);
    await api.kill();
    await api.start(point);
    await assert.rejects(api.call("POST", `/users/${username}/disable`, { token: key }));
    assert.equal(await api.died(), "SIGKILL");
    const heard: Revocation[] = [];
    api.nats.subscribe(subjects.revoked, { callback: (_, message) => void heard.push(message.json()) });
    const doors: Door[] = [];
    api.nats.subscribe("history.doors.*", {
      callback: (_, message) => void doors.push(...message.json<{ doors: Door[] }>().doors),
    });
    await api.nats.flush();
    await api.start();
    const isTold = () => doors.some(({ owner, account }) => owner === username && account === "disabled");
    if (isMade) await eventually(isTold, { timeoutMs: 60_000 });
    await eventually(async () => (await isBelieved(token)) === !isMade);
    assert.equal((await api.call("POST", "/refresh", { json: { refreshToken } })).status, isMade ? 401 : 200);
    assert.equal(
      (await api.call("GET", `/users/${username}/account`, { token: key })).body.state,
      isMade ? "disabled" : "active",
    );
    assert.equal((await api.call("POST", `/users/${username}/disable`, { token: key })).body.state, "disabled");
    assert.ok(isTold());
    assert.equal(await isBelieved(token), false);
    assert.equal((await api.call("POST", `/users/${username}/enable`, { token: key })).body.state, "active");
    assert.ok(await isBelieved((await logIn(username)).token));
  });
