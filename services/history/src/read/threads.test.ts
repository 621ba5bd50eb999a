// How often the marks of a user's threads are looked for.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openStore } from "@parley/store";
import { openHistoryStore, type ThreadMark, threadKey } from "../keep/store.ts";
import type { Reading } from "./reading.ts";
import { followMarksOf } from "./threads.ts";

test("the marks of who follows few threads or none are one look, and those of many are all found, step by step", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "parley-threads-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const opened = await openStore(`sqlite:${folder}`, { service: "history", lockWaitMs: 0 });
  t.after(() => opened.close());
  const store = await openHistoryStore(opened);
  let looks = 0;
  const find = store.threads.find.bind(store.threads);
  store.threads.find = (query) => {
    looks += 1;
    return find(query);
  };
  const steps = [
    ["room/a", "room/f"],
    ["room/g", "room/m"],
    ["room/n", "room/z"],
  ] as const;
  const follow = (uid: string, conv: string, seq: number, following = true) => {
    const doc: ThreadMark = { conv, seq, uid, following, readSeq: 0, changedAt: 1 };
    return store.threads.put([{ key: threadKey(doc), doc }]);
  };
  const found = async (uid: string, after?: string) => {
    looks = 0;
    const marks = followMarksOf({ store } as Reading, uid, after);
    return Promise.all(steps.map(async ([from, to]) => (await marks(from, to)).map(({ seq }) => seq)));
  };
  await follow("ben", "room/f", 1);
  await follow("ben", "room/h", 2, false);
  await follow("ben", "room/n", 3);
  for (let seq = 1; seq <= 150; seq++) await follow("cyd", seq <= 120 ? "room/b" : "room/p", seq);
  assert.deepEqual([await found("ann"), looks], [[[], [], []], 1]);
  assert.deepEqual([await found("ben"), looks], [[[1], [], [3]], 1]);
  assert.deepEqual([await found("ben", "room/f"), looks], [[[], [], [3]], 1]);
  assert.deepEqual(
    (await found("cyd")).map(({ length }) => length),
    [120, 0, 30],
  );
});
