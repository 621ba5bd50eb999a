import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "@parley/protocol";
import type { Logger } from "@parley/runtime";
import { StoreError } from "@parley/store";
import { createTrouble, withoutPath } from "./trouble.ts";

test("a store that fails a thousand times is one line, another every ten seconds, and one when it is over", () => {
  const lines: unknown[] = [];
  const keep = (line: { event: string }) => void lines.push(line.event);
  let now = 0;
  const trouble = createTrouble({ warn: keep, info: keep } as unknown as Logger, () => now);
  for (; now < 15_000; now += 15) trouble.failed("append_failed", new StoreError("full", "log.db: the disk is full"));
  trouble.over("fold_failed");
  trouble.over("append_failed");
  trouble.over("append_failed");
  assert.deepEqual(lines, ["append_failed", "append_failed", "store_works_again"]);
});

test("a store's failure is unavailable to callers, who are shown no path", () => {
  const told = withoutPath(new StoreError("full", "/data/history/log.db: the disk is full; free some space"));
  assert.ok(told instanceof AppError);
  assert.equal(told.code, "unavailable");
  assert.equal(told.message, "the store's disk is full");
});

test("what was handed to the store and cannot be right is invalid_packet, which nobody sends again", () => {
  for (const code of ["invalid_key", "invalid_page"] as const) {
    const told = withoutPath(new StoreError(code, "a key is 1 to 512 bytes of well-formed text"));
    assert.ok(told instanceof AppError);
    assert.equal(told.code, "invalid_packet");
  }
});
