import assert from "node:assert/strict";
import { test } from "node:test";
import type { PushJob } from "@parley/protocol";
import { chunkId, chunksOf, jobKey } from "./jobs.ts";

const job = (seq: number, more: Partial<PushJob> = {}): PushJob => ({
  kind: "message",
  uid: "bob",
  clientId: "bob:phone",
  token: "t1",
  conv: "room/r",
  seq,
  at: 7,
  ...more,
});

test("jobs go by provider in their order, at most 32 together, and none is lost or twice", () => {
  const jobs = Array.from(
    { length: 100 },
    (_, seq) => ({ provider: seq % 3 === 0 ? "fcm" : "apns", job: job(seq) }) as const,
  );
  const chunks = chunksOf(jobs, 2, 99);
  assert.deepEqual(
    chunks.map(([provider, { jobs: some }]) => [provider, some.length]),
    [
      ["fcm", 32],
      ["fcm", 2],
      ["apns", 32],
      ["apns", 32],
      ["apns", 2],
    ],
  );
  assert.ok(chunks.every(([, { attempt, notBefore }]) => attempt === 2 && notBefore === 99));
  for (const provider of ["fcm", "apns"]) {
    const seqs = chunks.flatMap(([of, { jobs: some }]) => (of === provider ? some.map(({ seq }) => seq) : []));
    assert.deepEqual(
      seqs,
      jobs.filter((one) => one.provider === provider).map((one) => one.job.seq),
    );
  }
});

test("the same jobs have the same name; others, other attempts, and those of another dead letter have not", () => {
  const names = [
    chunkId({ jobs: [job(1), job(2)], attempt: 0 }),
    chunkId({ jobs: [job(2), job(1)], attempt: 0 }),
    chunkId({ jobs: [job(1)], attempt: 0 }),
    chunkId({ jobs: [job(1), job(2)], attempt: 1 }),
    chunkId({ jobs: [job(1, { letter: 3 }), job(2)], attempt: 0 }),
    chunkId({ jobs: [job(1, { letter: 4 }), job(2)], attempt: 0 }),
  ];
  assert.equal(new Set(names).size, names.length);
  assert.equal(chunkId({ jobs: [job(1), job(2)], attempt: 0 }), names[0]);
});

test("what a token is told is told apart by kind and place, and of what has no place by whom and when", () => {
  const { conv: _, seq: _s, ...placeless } = job(1, { kind: "request", by: "ann" });
  const keys = [
    job(1),
    job(2),
    job(1, { conv: "room/q" }),
    job(1, { kind: "read" }),
    job(1, { token: "t2" }),
    placeless,
    { ...placeless, by: "cal" },
    { ...placeless, at: 8 },
  ].map(jobKey);
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(jobKey(job(1, { at: 8 })), keys[0], "the same message");
  assert.equal(jobKey(job(1, { letter: 3 })), keys[0], "what was sent is known, whichever way it came");
});
