import assert from "node:assert/strict";
import { test } from "node:test";
import { limits, storedPositionsMax, unpackStoredEntries } from "@parley/protocol";
import type { LogEntry, MessageLog } from "@parley/store";
import { logPage, storedEntries } from "./stored-entries.ts";

const names = { conv: "room/r", from: "ann", device: "ann:phone", type: "text", prev: null, event: null };

type ReadLog = Pick<MessageLog, "at" | "follow">;

/** A log without an end, but for the position `missing`. */
function logOf(bodyBytes: number, { erased, missing }: { erased?: number; missing?: number } = {}): ReadLog {
  const entryAt = (q: number, pos: number) => {
    const body = new Uint8Array(pos === erased ? 0 : bodyBytes).fill(0x78);
    const numbers = { q, pos, seq: pos, ts: 1, memberSeq: 1, ord: pos };
    return { ...numbers, id: String(pos), origin: null, ...names, body } as LogEntry;
  };
  return {
    at: async (q, pos) => (pos === missing ? undefined : entryAt(q, pos)),
    async follow(q, after, limit) {
      const positions = Array.from({ length: limit + 1 }, (_, at) => after + at + 1).filter((pos) => pos !== missing);
      return positions.slice(0, limit).map((pos) => entryAt(q, pos));
    },
  };
}

const read = async (log: ReadLog, positions: number[]) => {
  const reply = await storedEntries(log as MessageLog, { q: 1, positions });
  assert.ok(reply.byteLength <= limits.requestBytes, `${reply.byteLength} bytes`);
  return unpackStoredEntries(reply);
};

test("a reply holds as many of the first entries as fit, and at least one", async () => {
  const positions = Array.from({ length: storedPositionsMax }, (_, index) => index + 1);
  assert.equal((await read(logOf(100), positions)).length, storedPositionsMax);
  const some = await read(logOf(limits.packetBytes), positions);
  assert.ok(some.length > 1 && some.length < 10);
  assert.deepEqual(
    some.map((entry) => entry?.pos),
    positions.slice(0, some.length),
  );
  assert.equal((await read(logOf(limits.requestBytes - 4_096), positions)).length, 1);
});

test("an erased entry keeps its place, with empty content", async () => {
  const [entry] = await read(logOf(10, { erased: 3 }), [3]);
  assert.deepEqual(JSON.parse(Buffer.from(entry?.body ?? "").toString()), {
    id: "3",
    to: "room/r",
    content: { type: "erased" },
  });
});

test("each position has its answer, null where nothing is stored, in a row or not", async () => {
  for (const positions of [[4], [3, 4, 5, 6], [9, 4, 2]]) {
    const found = await read(logOf(10, { missing: 4 }), positions);
    assert.deepEqual(
      found.map((entry) => entry?.pos ?? null),
      positions.map((pos) => (pos === 4 ? null : pos)),
    );
  }
});

test("a page of the log is what is behind a position, and no more than asked for", async () => {
  const page = async (asked: { after: number; limit: number }) =>
    unpackStoredEntries(await logPage(logOf(10, { missing: 4 }) as MessageLog, { q: 1, ...asked }));
  assert.deepEqual(
    (await page({ after: 2, limit: 3 })).map((entry) => entry?.pos),
    [3, 5, 6],
  );
  await assert.rejects(page({ after: 2, limit: 501 }), { code: "invalid_packet" });
  await assert.rejects(page({ after: 0.5, limit: 1 }), { code: "invalid_packet" });
});

test("no positions, or more than are answered at once, are refused", async () => {
  for (const positions of [[], Array.from({ length: storedPositionsMax + 1 }, (_, index) => index), undefined])
    await assert.rejects(storedEntries(logOf(1) as MessageLog, { q: 1, positions: positions as number[] }), {
      code: "invalid_packet",
    });
});
