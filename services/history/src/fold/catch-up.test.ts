import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogEntry } from "@parley/store";
import type { Member } from "../keep/store.ts";
import type { Projection } from "../project/projection.ts";
import { catchUp } from "./catch-up.ts";
import { recallEvent } from "./fold-entry.ts";
import { addToTail, emptyTail } from "./tail.ts";

const entry = (pos: number, more: Partial<LogEntry>) =>
  ({ q: 1, pos, conv: "p2p/a/b", seq: pos, ord: pos, from: "a", type: "text", event: null, ...more }) as LogEntry;

test("who takes over a partition folds the recalls and pins that the holder before had committed and not put", async () => {
  const tail = emptyTail(1, 0);
  const pins = [{ seq: 1, by: "b", at: 5 }];
  addToTail(tail, [
    entry(1, {}),
    entry(2, {}),
    entry(3, { type: "recall", ord: 2, event: recallEvent(entry(2, {})) }),
    entry(4, { type: "event", memberSeq: 0, event: { event: "pin", by: "b", uids: [], seq: 1, pins } }),
  ]);
  const touched: Member[] = [];
  const projection = {
    pendingIn: () => [],
    touch: (members: Iterable<Member>) => void touched.push(...members),
    touchInfo: () => undefined,
    touchAnnotations: () => undefined,
  } as unknown as Projection;
  const store = {
    members: { getMany: async () => new Map() },
    annotations: { getMany: async () => new Map() },
  } as never;
  const caught = await catchUp({ store, projection, tails: { read: async () => tail } }, 1, 0, 4);
  const recalled = [[2, 2]];
  assert.deepEqual(caught.infos, [{ conv: "p2p/a/b", name: "", nameSeq: 0, recalled, pins: { list: pins, seq: 4 } }]);
  assert.deepEqual(caught.annotations, [
    { conv: "p2p/a/b", seq: 2, appliedSeq: 3, edits: [], reactions: [], recall: { seq: 3, by: "a" } },
  ]);
  assert.deepEqual(caught.events, [{ conv: "p2p/a/b", memberSeq: 0 }]);
});
