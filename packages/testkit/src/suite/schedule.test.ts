import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../programs/programs.ts";
import { type Lane, runLongestFirst } from "./schedule.ts";
import { slowFiles } from "./slow-files.ts";

const job = (file: string, seconds: number, lane: Lane) => ({ file, seconds, lane });

/** Runs that end one by one, by `end`; what was started, in order. */
function byHand() {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    started,
    run: ({ file }: { file: string }) => {
      started.push(file);
      return new Promise<void>((resolve) => void ends.set(file, resolve));
    },
    async end(file: string) {
      ends.get(file)?.();
      await new Promise(setImmediate);
    },
  };
}

test("the longest file starts first, and no more at once than a lane has room for", async () => {
  const { started, run, end } = byHand();
  const [few, many] = [
    { atOnce: 1, weight: 1 },
    { atOnce: 9, weight: 1 },
  ];
  const all = runLongestFirst([job("a", 1, many), job("b", 9, few), job("c", 8, few), job("d", 2, many)], () => 9, run);
  assert.deepEqual(started, ["b", "d", "a"]);
  await end("b");
  assert.deepEqual(started, ["b", "d", "a", "c"]);
  for (const file of ["a", "c", "d"]) await end(file);
  await all;
});

test("what is heavy waits for its room and is not overtaken, and runs alone when it weighs more than all", async () => {
  const { started, run, end } = byHand();
  const [light, heavy, huge] = [1, 2, 99].map((weight) => ({ atOnce: 9, weight })) as [Lane, Lane, Lane];
  const jobs = [job("a", 9, light), job("b", 8, light), job("c", 7, heavy), job("d", 6, light), job("e", 5, huge)];
  const all = runLongestFirst(jobs, () => 3, run);
  assert.deepEqual(started, ["a", "b"]);
  await end("a");
  assert.deepEqual(started, ["a", "b", "c"]);
  await end("b");
  assert.deepEqual(started, ["a", "b", "c", "d"]);
  await end("c");
  assert.deepEqual(started, ["a", "b", "c", "d"]);
  await end("d");
  assert.deepEqual(started, ["a", "b", "c", "d", "e"]);
  await end("e");
  await all;
});

test("every file that is known to be slow is there", () => {
  assert.deepEqual(
    Object.keys(slowFiles).filter((file) => !existsSync(join(root, file))),
    [],
  );
});
