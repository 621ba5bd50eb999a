import assert from "node:assert/strict";
import { test } from "node:test";
import { limits, storedPositionsMax, unpackStoredEntries } from "@parley/protocol";
import type { LogEntry, MessageLog } from "@parley/store";
import { storedEntries } from "./stored-entries.ts";

const names = { conv: "room/r", from: "ann", device: "ann:phone", type: "text", prev: null, event: null };

function logOf(bodyBytes: number, erased?: number): Pick<MessageLog, "at"> {
  return {
    async at(q, pos) {
      const body = new Uint8Array(pos === erased ? 0 : bodyBytes).fill(0x78);
      return {
        q,
        pos,
        seq: pos,
        ts: 1,
        memberSeq: 1,
        ord: pos,
        id: String(pos),
        origin: null,
        ...names,
        body,
      } as LogEntry;
    },
  };
}

const read = async (log: Pick<MessageLog, "at">, positions: number[]) => {
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
  const [entry] = await read(logOf(10, 3), [3]);
  assert.deepEqual(JSON.parse(Buffer.from(entry?.body ?? "").toString()), {
    id: "3",
    to: "room/r",
    content: { type: "erased" },
  });
});

test("no positions, or more than are answered at once, are refused", async () => {
  for (const positions of [[], Array.from({ length: storedPositionsMax + 1 }, (_, index) => index), undefined])
    await assert.rejects(storedEntries(logOf(1) as MessageLog, { q: 1, positions: positions as number[] }), {
      code: "invalid_packet",
    });
});
