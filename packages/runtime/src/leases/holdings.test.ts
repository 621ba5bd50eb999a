import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { recordingLogger } from "../../test/recorder.ts";
import { createHoldings } from "./holdings.ts";

interface Steps {
  acquire?: (key: string) => Promise<void>;
  release?: (key: string) => Promise<void>;
  drop?: (key: string) => Promise<void>;
}

function holdingsWith(steps: Steps = {}) {
  const { log, events } = recordingLogger();
  const seen: string[] = [];
  const holdings = createHoldings({
    kind: "ingest",
    log,
    awayMax: 2,
    async acquire(key) {
      await steps.acquire?.(key);
      seen.push(`acquired ${key}`);
    },
    async release(key, reason) {
      seen.push(`releasing ${key} ${reason}`);
      await steps.release?.(key);
    },
    async drop(key) {
      await steps.drop?.(key);
      seen.push(`dropped ${key}`);
    },
  });
  return { holdings, seen, events };
}

test("a key is held once its work has begun, and renewed from before that on", async () => {
  let begun = () => {};
  const { holdings } = holdingsWith({ acquire: () => new Promise((resolve) => (begun = resolve)) });
  assert.equal(holdings.mark("1"), "-");
  holdings.begin("1");
  holdings.begin("1");
  assert.equal(holdings.mark("1"), "h");
  assert.equal(holdings.held.has("1"), false);
  begun();
  await nextTurn();
  assert.equal(holdings.held.has("1"), true);
});

test("a key whose work cannot begin is given back and left to others for a while", async () => {
  const { holdings, seen, events } = holdingsWith({ acquire: () => Promise.reject(new Error("broker away")) });
  holdings.begin("1");
  await nextTurn();
  assert.deepEqual(seen, ["dropped 1"]);
  assert.equal(holdings.mark("1"), "x");
  assert.deepEqual(events(), ["lease_work_failed"]);
});

test("surplus keys are drained first and free only then; they are renewed meanwhile and not held", async () => {
  let drained = () => {};
  const { holdings, seen } = holdingsWith({ release: () => new Promise((resolve) => (drained = resolve)) });
  for (const key of ["1", "2"]) holdings.begin(key);
  await nextTurn();
  holdings.shrink(1);
  holdings.shrink(1);
  assert.deepEqual([...holdings.held], ["1"]);
  assert.equal(holdings.mark("2"), "h");
  assert.deepEqual(seen.slice(2), ["releasing 2 surplus"]);
  drained();
  await nextTurn();
  assert.deepEqual(seen.slice(2), ["releasing 2 surplus", "dropped 2"]);
  assert.equal(holdings.mark("2"), "-");
});

test("a lost key is released as lost, once, and never dropped: it is another's", async () => {
  const { holdings, seen } = holdingsWith();
  holdings.begin("1");
  await nextTurn();
  holdings.lose("1");
  holdings.lose("1");
  await nextTurn();
  assert.deepEqual(seen, ["acquired 1", "releasing 1 lost"]);
  assert.equal(holdings.mark("1"), "-");
});

test("a key lost while its work begins is released as soon as it has begun", async () => {
  let begun = () => {};
  const { holdings, seen } = holdingsWith({ acquire: () => new Promise((resolve) => (begun = resolve)) });
  holdings.begin("1");
  holdings.lose("1");
  assert.equal(holdings.mark("1"), "x");
  begun();
  await nextTurn();
  assert.deepEqual(seen, ["acquired 1", "releasing 1 lost"]);
  assert.equal(holdings.held.size, 0);
});

test("a key lost while it is drained is not dropped", async () => {
  let drained = () => {};
  const { holdings, seen } = holdingsWith({ release: () => new Promise((resolve) => (drained = resolve)) });
  holdings.begin("1");
  await nextTurn();
  holdings.shrink(0);
  holdings.lose("1");
  drained();
  await nextTurn();
  assert.deepEqual(seen, ["acquired 1", "releasing 1 surplus"]);
});

test("a release that fails still frees the key", async () => {
  const { holdings, seen, events } = holdingsWith({ release: () => Promise.reject(new Error("oh")) });
  holdings.begin("1");
  await nextTurn();
  holdings.shrink(0);
  await nextTurn();
  assert.ok(seen.includes("dropped 1"));
  assert.ok(events().includes("lease_release_failed"));
});

test("releaseAll waits for work that begins or ends and frees each key as soon as it is done", async () => {
  const begun: (() => void)[] = [];
  const { holdings, seen } = holdingsWith({
    acquire: (key) => (key === "slow" ? new Promise((resolve) => begun.push(resolve)) : Promise.resolve()),
  });
  for (const key of ["quick", "slow"]) holdings.begin(key);
  await nextTurn();
  const done = holdings.releaseAll();
  await nextTurn();
  assert.deepEqual(seen, ["acquired quick", "releasing quick shutdown", "dropped quick"]);
  begun[0]?.();
  await done;
  assert.deepEqual(seen.slice(3), ["acquired slow", "releasing slow shutdown", "dropped slow"]);
});

test("a Redis that is away does not keep releaseAll from ending", async () => {
  const { holdings, events } = holdingsWith({ drop: () => Promise.reject(new Error("away")) });
  holdings.begin("1");
  await nextTurn();
  await holdings.releaseAll();
  assert.ok(events().includes("lease_not_freed"));
});
