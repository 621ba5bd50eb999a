// What `MessageLog.read` must answer on every engine: what `range` does, as readers are shown it.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RangeQuery, ReadEntry } from "../log.ts";
import type { OpenEngine } from "./engine.ts";
import { append, entries } from "./entries.ts";

const conv = "room/r1";

export function readingForReaders(open: OpenEngine): void {
  test("read answers what range does, in the fields that are shown, emptied bodies too", async (t) => {
    const log = (await open(t)).store.log();
    const written = entries(conv, 1, 5).map((each, index) => ({
      ...each,
      body: Buffer.from(`{"id":"${each.id}","data":"${"é🙂".repeat(10 * index)}"}`),
      event: index === 2 ? { event: "message", reply: 1 } : null,
    }));
    await append(log, written);
    await log.blank(conv, 2);
    const bytes = written.map(({ body }) => body.byteLength);
    const queries: RangeQuery[] = [
      { after: 0, limit: 9 },
      { after: 1, before: 5, limit: 2 },
      { before: 5, limit: 2 },
      { limit: 0 },
      { after: 2, limit: 9, maxBytes: bytes[2]! + bytes[3]! },
      { after: 2, limit: 9, maxBytes: bytes[2]! + bytes[3]! - 1 },
      { after: 4, limit: 9, maxBytes: 1 },
    ];
    for (const query of queries)
      assert.deepEqual((await log.read(conv, query)).map(shown), (await log.range(conv, query)).map(shown));
  });
}

// An engine may answer more fields, and a body as text or bytes.
function shown({ conv, seq, from, device, id, type, ts, event, body }: ReadEntry): ReadEntry {
  return { conv, seq, from, device, id, type, ts, event, body: Buffer.from(body).toString() };
}
