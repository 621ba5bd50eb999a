import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProviderJob } from "../queue/jobs.ts";
import type { Told } from "./decide-jobs.ts";
import { type NotifyParts, notifyOf } from "./notify.ts";

function openParts() {
  const atOnce: number[] = [];
  const queued: ProviderJob[][] = [];
  const parts: NotifyParts = {
    tokensOf: async (uids) =>
      new Map(uids.map((uid) => [uid, [{ key: `t-${uid}`, uid, clientId: `${uid}:phone`, kind: "fcm" as const }]])),
    presenceOf: async () => ({}),
    isOn: () => true,
    enqueue: async (jobs) => void queued.push([...jobs]),
    marks: { queued: async (jobs) => void atOnce.push(jobs.length) },
    pass: () => undefined,
  };
  return { parts, atOnce, queued };
}
const members = (count: number) => Array.from({ length: count }, (_, index) => ({ uid: `u${index}` }));
const told = (seq: number, receivers: Told["receivers"]): Told => ({
  what: { kind: "message", conv: "room/r", seq, at: 1 },
  receivers,
  except: "u0",
});

test("what is told to large rooms is made in pieces, and of each message all but who wrote it are told once", async () => {
  const { parts, atOnce, queued } = openParts();
  const all = members(45_000);
  await notifyOf(parts, [[told(1, all), told(2, all)], [told(3, all)], [told(4, members(2))]]);
  assert.ok(Math.max(...atOnce) <= 20_000, `${Math.max(...atOnce)} jobs at once`);
  const names = queued.flat().map(({ job }) => `${job.seq} ${job.uid}`);
  assert.equal(new Set(names).size, names.length);
  assert.equal(names.length, 3 * 44_999 + 1);
  assert.ok(names.every((name) => !name.endsWith(" u0")));
});

test("a group's pieces are the same whatever is told beside it", async () => {
  const [alone, beside] = [openParts(), openParts()];
  const group = [told(1, members(15_000)), told(2, members(15_000))];
  await notifyOf(alone.parts, [group]);
  await notifyOf(beside.parts, [[told(3, members(7_000))], group]);
  const ofGroup = beside.queued.filter((jobs) => jobs[0]?.job.seq !== 3);
  assert.deepEqual(ofGroup, alone.queued);
});

test("many small ones are asked about together, each group in messages of its own", async () => {
  const { parts, atOnce, queued } = openParts();
  await notifyOf(parts, [[told(1, members(3))], [told(2, members(3))], []]);
  assert.deepEqual(atOnce, [4]);
  assert.deepEqual(
    queued.filter((jobs) => jobs.length > 0).map((jobs) => jobs.length),
    [2, 2],
  );
});
