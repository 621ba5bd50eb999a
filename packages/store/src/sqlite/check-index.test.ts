import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { verifyService } from "../backup/verify.ts";
import { append, entries } from "../conformance/entries.ts";
import { freshFolder, hastyPace } from "./open-engine.ts";
import { openSqliteStore } from "./store.ts";

for (const [about, damage] of [
  ["lacks a place in a conversation", "DELETE FROM by_seq WHERE seq = 7"],
  ["lacks a place in a partition", "DELETE FROM by_position WHERE pos = 7"],
  ["lacks a sender's id", "DELETE FROM by_key WHERE entry = 7"],
  ["has a message that is not there", "INSERT INTO by_seq (conv, seq, entry) VALUES ('room/r1', 99, 99)"],
  ["names another message", "UPDATE by_seq SET entry = 8 WHERE seq = 7"],
] as const)
  test(`a copy whose index ${about} is refused as damaged`, async (t) => {
    const folder = await freshFolder(t);
    const store = await openSqliteStore(folder, { lockWaitMs: 0, facts: {}, pace: hastyPace });
    for (let seq = 1; seq <= 40; seq++) await append(store.log(), entries("room/r1", seq, 1));
    await store.documents().collection({ name: "rows" });
    await store.close();
    assert.equal((await verifyService(folder)).entries, 40);
    const sqlite = new DatabaseSync(join(folder, "log.db"));
    sqlite.exec(damage);
    sqlite.close();
    await assert.rejects(verifyService(folder), /log\.db is damaged: by_(seq|position|key) is not that of its entries/);
  });
