import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { eventually } from "@parley/testkit";
import { startHeads } from "./heads.ts";

function headsOf(t: TestContext, synchronize: (returning: boolean) => Promise<void>, everyMs = 60_000) {
  const told: string[] = [];
  const heads = startHeads({
    synchronize,
    everyMs,
    onSyncing: () => told.push("syncing"),
    onSynced: () => told.push("synced"),
  });
  t.after(heads.close);
  return { heads, told };
}

test("each connection begins with a sync, and others follow as long as it lasts", async (t) => {
  let times = 0;
  const { heads, told } = headsOf(t, async () => void times++, 5);
  heads.setOnline(true);
  heads.setOnline(true);
  await eventually(() => times >= 3);
  heads.setOnline(false);
  assert.deepEqual(told.slice(0, 3), ["syncing", "synced", "synced"]);
});

test("a sync that fails is tried again", async (t) => {
  let times = 0;
  const { heads, told } = headsOf(t, async () => {
    times += 1;
    if (times === 1) throw new Error("lost");
  });
  heads.setOnline(true);
  await eventually(() => told.includes("synced"));
  assert.equal(times, 2);
});

test("a sync of an earlier connection says nothing about this one", async (t) => {
  const pending: (() => void)[] = [];
  const { heads, told } = headsOf(t, () => new Promise((resolve) => pending.push(resolve)));
  heads.setOnline(true);
  heads.setOnline(false);
  heads.setOnline(true);
  pending[0]?.();
  await Promise.resolve();
  assert.deepEqual(told, ["syncing", "syncing"]);
  pending[1]?.();
  await eventually(() => told.includes("synced"));
});

test("the first sync of each connection is told from the later ones, and stays the first until it succeeds", async (t) => {
  const asked: boolean[] = [];
  const { heads } = headsOf(
    t,
    async (returning) => {
      asked.push(returning);
      if (asked.length === 1) throw new Error("lost");
    },
    5,
  );
  heads.setOnline(true);
  await eventually(() => asked.length >= 3);
  heads.setOnline(false);
  const before = asked.length;
  heads.setOnline(true);
  await eventually(() => asked.length > before);
  assert.deepEqual([asked.slice(0, 3), asked[before]], [[true, true, false], true]);
});
