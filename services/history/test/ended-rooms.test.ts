// What is left of a deleted room, on real NATS, Redis and SQLite, with search's one answer played.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type LogRequest, type RemoveRequest, subjects, unpackStoredEntries } from "@parley/protocol";
import { conversationPartition } from "@parley/protocol/partition";
import { answerJson, request } from "@parley/runtime";
import { eventually, serviceContext } from "@parley/testkit";
import { about, startTestHistory } from "./surroundings.ts";

async function isIn(folder: string, text: string): Promise<boolean> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const contents = files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name)));
  return (await Promise.all(contents)).some((content) => content.includes(text));
}

const messages = 450;
const timeoutMs = 60_000;

test("what was said in a deleted room, reactions and topic too, leaves the log and the search index, also when history is started again meanwhile", async (t) => {
  const history = await startTestHistory(t);
  const { nats } = history;
  const gone = new Set<string>();
  let isAway = true;
  answerJson<RemoveRequest>(
    nats,
    subjects.removeFromSearch,
    "search",
    ({ conv, seqs }) => {
      if (isAway) throw new Error("away");
      for (const seq of seqs) gone.add(`${conv} ${seq}`);
      return {};
    },
    serviceContext("search").log,
  );
  const conv = "room/ended";
  const q = conversationPartition(conv);
  const logged = async () => {
    const texts: string[] = [];
    for (let after = 0; ; ) {
      const asked: LogRequest = { q, after, limit: 500 };
      const reply = await request(nats, subjects.log, JSON.stringify(asked), { timeoutMs });
      const page = unpackStoredEntries(reply).flatMap((entry) => entry ?? []);
      if (page.length === 0) return texts;
      texts.push(...page.map(({ body }) => Buffer.from(body).toString()));
      after = page.at(-1)!.pos;
    }
  };
  const canaries = async () => (await logged()).filter((text) => text.includes(`"data":"canary`)).length;

  const room = { topic: "canary-topic", settings: {} };
  await history.change("ended", { event: "create", by: "ada", uids: ["ben"], name: "E", room });
  await history.change("kept", { event: "create", by: "ada", uids: ["ben"], name: "K" });
  const items = Array.from({ length: messages }, (_, at) => history.item("ada", conv, `canary-${at}`));
  await history.append(...items);
  await history.append(history.item("ben", conv, "said", about("reaction", 2, { data: "reaction-canary" })));
  const kept = await history.say("ada", "room/kept", "canary-kept");
  assert.equal(await canaries(), messages);
  const { seq: end } = await history.change("ended", { event: "delete", by: "ada", uids: [] });
  await history.restart();
  await eventually(async () => (await canaries()) === 0, { timeoutMs });
  assert.equal(gone.size, 0);
  isAway = false;
  await eventually(() => gone.size === end - 1, { timeoutMs });
  assert.ok([...gone].every((place) => place.startsWith(`${conv} `)));
  assert.deepEqual(
    (await history.get("ben", { conv })).messages.map(({ seq }) => seq),
    [end],
    "its end is still told",
  );
  // What the store has freed of its files is overwritten when it is closed.
  await eventually(
    async () => {
      await history.restart();
      const left = await Promise.all(["canary-topic", "reaction-canary"].map((text) => isIn(history.folder, text)));
      return left.every((found) => !found);
    },
    { timeoutMs },
  );
  assert.ok(await isIn(history.folder, "canary-kept"), "so would it be found");
  const { messages: others } = await history.get("ben", { conv: "room/kept" });
  assert.equal(others.find(({ seq }) => seq === kept)?.id, "canary-kept", "no other room lost anything");
});
