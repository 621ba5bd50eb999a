// A build on real NATS and SQLite, with history played: what is stored and told while it goes on is in the index at its end.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type LogRequest, packStoredEntries, type StoredEntry, subjects } from "@parley/protocol";
import { answer, answerJson, connectNats, parseJson } from "@parley/runtime";
import { openStore } from "@parley/store";
import { eventually, serviceContext, startServers } from "@parley/testkit";
import { startBuilder } from "../src/build.ts";
import { indexedOf } from "../src/indexed.ts";
import { openIndexes } from "../src/indexes.ts";

function entryAt(pos: number): StoredEntry {
  const body = Buffer.from(JSON.stringify({ id: "x", content: { type: "text", data: `word n${pos}` } }));
  const names = { conv: "room/r", from: "ann", device: "ann:d", type: "text" };
  return { pos, seq: pos, ts: pos * 1_000, memberSeq: 1, ...names, body };
}

test("what is stored and told while an index is built is in it, though nobody told it to the index", async (t) => {
  const { nats: server } = await startServers(t, { nats: true });
  const folder = await mkdtemp(join(tmpdir(), "parley-build-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { log } = serviceContext("search");
  const nats = await connectNats({ url: server.url, name: "test", log });
  t.after(() => nats.close());
  const store = await openStore(`sqlite:${folder}`, { service: "search" });
  t.after(() => store.close());
  const indexes = await openIndexes(store, log);
  const stored = Array.from({ length: 10 }, (_, at) => entryAt(at + 1));
  const unfed: number[] = [];
  answerJson(nats, subjects.logEnds, "history", () => ({ ends: [stored.length, ...Array(255).fill(0)] }));
  answer(nats, subjects.log, "history", async (payload) => {
    const { after } = parseJson(payload) as LogRequest;
    const page = stored.slice(after);
    // Stored while the page is read, and told at once to those that are fed now.
    if (stored.length < 14) {
      const late = entryAt(stored.length + 1);
      stored.push(late);
      const fed = await indexes.fed();
      if (fed.length === 0) unfed.push(late.pos);
      for (const index of fed) await index.put([indexedOf(late)!]);
    }
    return packStoredEntries(page);
  });
  await nats.flush();
  const builder = startBuilder({ nats, indexes, instance: "search-a", isAlone: true, pass: () => undefined, log });
  t.after(() => builder.close());
  await eventually(async () => (await builder.answer({})).current !== null);
  assert.ok(unfed.length > 0, "something was stored before the index was fed");
  const { index } = await indexes.searched();
  const found = await index.find({ convs: ["room/r"], terms: [{ text: "word" }], limit: 100 });
  assert.deepEqual(
    found.messages.map(({ seq }) => seq).sort((a, b) => a - b),
    stored.map(({ pos }) => pos),
  );
});
