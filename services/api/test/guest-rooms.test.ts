// Rooms that are topics of guests: made once, open to all, and nobody's to make otherwise.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { subjects } from "@parley/protocol";
import { requestJson } from "@parley/runtime";
import { startHistoryProcess } from "./history-process.ts";
import { startTestApi } from "./surroundings.ts";

const api = await startTestApi({ after }, { GUESTS: "chat:pass:chat,Test:pass:test/" });
startHistoryProcess({ after }, api);
const ask = <Answer>(subject: string, body: object) =>
  requestJson<Answer>(api.nats, subject, body, { timeoutMs: 30_000 });
const open = (id: string) => ask<object>(subjects.openRoom, { id });

test("the room of a guests' topic is made once, however many ask at once, and who looks finds it open and without members", async () => {
  const { token } = await api.user("amy", "web");
  await Promise.all(Array.from({ length: 5 }, () => open("chat.2Ftea")));
  await open("chat.2Ftea");
  const { status, body } = await api.call("GET", "/rooms/chat.2Ftea", { token });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual([body.name, body.settings.join, body.createdBy, body.members], ["chat/tea", "open", "parley", 0]);
  assert.equal((await api.call("GET", "/rooms", { token })).body.rooms.length, 0, "nobody is its member");
});

test("no room is opened that is no guest's topic, or that somebody made; and nobody makes a guest's topic", async () => {
  const { token } = await api.user("bea", "web");
  for (const id of ["private", "chatter", "test", "chat.2ftea", "chat..2F"])
    await assert.rejects(open(id), { code: "forbidden" }, id);
  for (const id of ["chat", "chat.2Fmine", "test.2F"]) {
    const { status, body } = await api.call("POST", "/rooms", { token, json: { id, name: "Mine" } });
    assert.deepEqual([status, body.error?.code], [403, "forbidden"], id);
  }
  await open("chat.2FTea2");
  await assert.rejects(open("chat.2Ftea2"), { code: "conflict" });
});

test("whether a user is called so is answered for any case, and for aliases", async () => {
  const { token } = await api.user("Cleo", "web");
  await api.call("POST", "/aliases", { token, json: { alias: "cleo.4930" } });
  for (const [uid, exists] of [
    ["cleo", true],
    ["CLEO", true],
    ["cleo.4930", true],
    ["nobody at all", false],
  ] as const)
    assert.deepEqual(await ask(subjects.userExists, { uid, anyName: true }), { exists }, uid);
  assert.deepEqual(await ask(subjects.userExists, { uid: "cleo" }), { exists: false });
});
