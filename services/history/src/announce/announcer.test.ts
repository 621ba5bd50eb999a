import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { StoredReferences } from "@parley/protocol";
import { createLogger } from "@parley/runtime";
import type { LogEntry } from "@parley/store";
import { eventually } from "@parley/testkit";
import { startAnnouncer } from "./announcer.ts";

const q = 7;
const log = createLogger({ service: "history", level: "silent" });

function entry(pos: number, more: Partial<LogEntry> = {}): LogEntry {
  const names = { q, pos, conv: "room/r", seq: pos, ord: pos, from: "ann", device: "a", id: `${pos}`, type: "text" };
  return { ...names, ts: 1, origin: null, event: null, memberSeq: 1, body: Buffer.alloc(2), ...more };
}

const onward = { event: { event: "message", onward: ["in"] } };

/** Announces what is in `kept`; `die`: told at the point behind what goes on. */
function announcing(t: TestContext, kept: readonly LogEntry[], die: () => void = () => undefined) {
  const published: [kind: string | undefined, positions: number[]][] = [];
  const announcer = startAnnouncer({
    ...{ q, from: 0, known: 0, delayMs: 600_000, log },
    locate: async () => 0,
    jetstream: {
      async publish(subject: string, payload: string) {
        const { entries } = JSON.parse(payload) as StoredReferences;
        published.push([subject.split(".")[2], entries.map(({ pos }) => pos)]);
      },
    } as never,
    store: { follow: async (_q: number, after: number) => kept.filter(({ pos }) => pos > after) } as never,
    pass: die,
  });
  t.after(() => announcer.close());
  return { announcer, published };
}

test("what goes on to other rooms is announced at once, apart and before its batch, and so is a call; all else waits, and costs one message", async (t) => {
  const entries = [entry(1), entry(2, onward), entry(3, { origin: "api" }), entry(4, { type: "call" })];
  const { announcer, published } = announcing(t, entries);
  announcer.add(entries.slice(0, 2));
  await eventually(() => announcer.pos === 2);
  announcer.add(entries.slice(2, 3));
  await eventually(() => announcer.pos === 3);
  announcer.add(entries.slice(3));
  await eventually(() => announcer.pos === 4);
  assert.deepEqual(published, [
    ["onward", [2]],
    ["mqtt", [1, 2]],
    ["origin", [3]],
    ["mqtt", [4]],
  ]);
});

test("who dies between the two leaves a batch that is announced again, with what goes on", async (t) => {
  const entries = [entry(1, onward)];
  let deaths = 1;
  const { announcer, published } = announcing(t, entries, () => {
    if (deaths-- > 0) throw new Error("killed");
  });
  announcer.add(entries);
  await eventually(() => announcer.pos === 1);
  assert.deepEqual(
    published.map(([kind]) => kind),
    ["onward", "onward", "mqtt"],
  );
});
