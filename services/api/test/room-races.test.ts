// Two who change the same room at once: the log's order decides, and everybody sees the same outcome.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Answer, createAsking } from "./asking.ts";
import { startHistoryProcess } from "./history-process.ts";
import { startTestApi } from "./surroundings.ts";

const api = await startTestApi({ after });
startHistoryProcess({ after }, api);
const token: Record<string, string> = {};
for (const uid of ["alice", "bob", "carol"]) token[uid] = (await api.user(uid, "web")).token;
const { byHttp, byMqtt } = createAsking(api, (uid) => token[uid] as string);

test("of two admins who change each other's role at once one outcome is everybody's", async () => {
  const id = (await byHttp("alice", "rooms.create", { name: "Race", members: ["bob", "carol"] })).id;
  await byHttp("alice", "rooms.setRole", { id, uid: "bob", role: "owner" });
  const race = await Promise.allSettled([
    byHttp("alice", "rooms.setRole", { id, uid: "bob", role: "member" }),
    byMqtt("bob", "rooms.setRole", { id, uid: "alice", role: "member" }),
  ]);
  assert.deepEqual(race.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  const owners = (await byHttp("carol", "rooms.members", { id })).members.filter(
    ({ role }: Answer) => role === "owner",
  );
  assert.equal(owners.length, 1);
});

for (const [door, ask] of [
  ["HTTP", byHttp],
  ["MQTT", byMqtt],
] as const) {
  test(`${door}: of two owners who remove each other at once one is out, and everybody sees the same`, async () => {
    const id = (await ask("alice", "rooms.create", { name: "Race", members: ["bob", "carol"] })).id;
    await ask("alice", "rooms.setRole", { id, uid: "bob", role: "owner" });
    const outcomes = await Promise.allSettled([
      ask("alice", "rooms.remove", { id, uid: "bob" }),
      ask("bob", "rooms.remove", { id, uid: "alice" }),
    ]);
    const failed = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason.code] : []));
    assert.deepEqual(failed, ["not_member"]);
    const winner = outcomes[0]?.status === "fulfilled" ? "alice" : "bob";
    const { members } = await ask("carol", "rooms.members", { id });
    assert.deepEqual(Object.fromEntries(members.map(({ uid, role }: Answer) => [uid, role])), {
      [winner]: "owner",
      carol: "member",
    });
    const removals = (await byHttp("carol", "history.get", { conv: `room/${id}` })).messages.filter(
      ({ content }: Answer) => content.data.event === "remove",
    );
    assert.deepEqual(
      removals.map(({ content }: Answer) => content.data.by),
      [winner],
    );
  });
}
