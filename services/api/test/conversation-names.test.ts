// What a conversation of two is called in lists: as the other is called, over HTTP and MQTT alike, with history's answers real.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type NamesReply, type NamesRequest, namesMost, subjects } from "@parley/protocol";
import { requestJson } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { type Answer, createAsking } from "./asking.ts";
import { startHistoryProcess } from "./history-process.ts";
import { startTestApi } from "./surroundings.ts";

const api = await startTestApi({ after });
startHistoryProcess({ after }, api);
const token: Record<string, string> = {};
for (const uid of ["alice", "bob", "carol", "dave", "erin"]) token[uid] = (await api.user(uid, "web")).token;
const { byHttp, byMqtt } = createAsking(api, (uid) => token[uid] as string);
await eventually(async () => (await api.call("POST", "/sync", { token: token.alice!, json: {} })).status === 200, {
  timeoutMs: 60_000,
});

test("a conversation of two is listed under the nick in one's roster, else under what the profile shows, else under the uid", async () => {
  await byHttp("alice", "profile.update", { name: "Alice A" });
  await byHttp("bob", "profile.update", { name: "Bob B" });
  await byHttp("carol", "profile.update", { name: "Carol C", nick: "Caro" });
  await byHttp("erin", "profile.update", { name: "Erin E" });
  for (const to of ["alice", "bob", "carol", "dave", "erin"])
    await byHttp("alice", "messages.send", { to: `user/${to}`, content: { type: "text", data: "hi" } });
  for (const ask of [byHttp, byMqtt]) {
    const names = async (uid: string) => {
      const { conversations } = await ask(uid, "conversations.list");
      return Object.fromEntries(conversations.map(({ conv, name }: Answer) => [conv, name]));
    };
    await byHttp("alice", "roster.add", { id: "erin", nick: "" });
    await byHttp("erin", "profile.update", { visibility: "everybody" });
    const expected: Record<string, string> = {
      "p2p/alice/alice": "Alice A",
      "p2p/alice/bob": "Bob B",
      "p2p/alice/carol": "Caro",
      "p2p/alice/dave": "dave",
      "p2p/alice/erin": "Erin E",
    };
    assert.deepEqual(await names("alice"), expected);
    assert.deepEqual(await names("bob"), { "p2p/alice/bob": "Alice A" });
    await byHttp("alice", "roster.update", { id: "erin", nick: "Er" });
    assert.deepEqual(await names("alice"), { ...expected, "p2p/alice/erin": "Er" });
    await byHttp("alice", "roster.update", { id: "erin", nick: "" });
    await byHttp("erin", "profile.update", { visibility: "contacts" });
    assert.deepEqual(
      await names("alice"),
      { ...expected, "p2p/alice/erin": "erin" },
      "who hides it shows it to nobody else",
    );
  }
});

test("who asks for more names than are told at once, or for what is no user's id, is refused", async () => {
  const ask = (asked: object) => requestJson<NamesReply>(api.nats, subjects.names, asked, { timeoutMs: 15_000 });
  const uids = Array.from({ length: namesMost }, (_, n) => `u${n}`);
  const all: NamesRequest = { by: "alice", uids };
  assert.deepEqual((await ask(all)).names, uids);
  for (const wrong of [
    { by: "alice" },
    { by: "alice", uids: [...uids, "one"] },
    { by: "alice", uids: ["a b"] },
    { by: "a b", uids },
  ])
    await assert.rejects(ask(wrong), { code: "invalid_packet" });
});
