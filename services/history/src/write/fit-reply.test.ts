import assert from "node:assert/strict";
import { test } from "node:test";
import { type AppendOutcome, type GroupOutcome, limits, packAppendReply } from "@parley/protocol";
import { fitReply } from "./fit-reply.ts";

const kept = (seq: number, bytes: number): AppendOutcome => ({
  seq,
  ts: Date.now(),
  memberSeq: seq,
  duplicate: true,
  stored: Buffer.alloc(bytes),
  storedAt: seq * 1_000_000,
});

test("kept messages go along while there is room, and of the others the reply says where they are", () => {
  const groups: GroupOutcome[] = [
    { q: 1, outcomes: [kept(1, 60), { seq: 2, ts: 1, memberSeq: 0 }, kept(3, 60)] },
    { q: 2, failed: "not_mine" },
    { q: 3, outcomes: [kept(4, 40)] },
  ];
  const [first, second, third] = fitReply(groups, 100) as unknown as { outcomes: Record<string, unknown>[] }[];
  assert.deepEqual(
    first?.outcomes.map(({ stored, storedAt }) => [stored !== undefined, storedAt]),
    [
      [true, undefined],
      [false, undefined],
      [false, 3_000_000],
    ],
  );
  assert.deepEqual(second, groups[1]);
  assert.deepEqual(third?.outcomes[0]?.storedAt, undefined);
});

test("a batch of the largest messages sent again fits into a reply", () => {
  const outcomes = Array.from({ length: limits.batchMessages }, (_, index) => kept(index + 1, limits.packetBytes));
  assert.ok(packAppendReply(fitReply([{ q: 1, outcomes }])).byteLength <= limits.requestBytes);
});
