import assert from "node:assert/strict";
import { test } from "node:test";
import { conversationPartition, conversationPartitionCount, ingestPartition, ingestPartitions } from "./partition.ts";

// Known values, by `printf %s … | md5sum`: stores and broker sessions depend on them for ever.
test("p is the first hex digit of the client id's md5, as it always was", () => {
  for (const [clientId, p] of Object.entries({ alice: "6", "alice:web": "5", bob: "9" }))
    assert.equal(ingestPartition(clientId), p, clientId);
});

test("q is the first byte of the conversation's md5, as it always was", () => {
  for (const [conv, q] of Object.entries({ "p2p/alice/bob": 0x91, "room/r1": 0x7a, "room/general": 0xad })) {
    assert.equal(conversationPartition(conv), q, conv);
    assert.equal(conversationPartition(conv), q, `${conv}, remembered`);
  }
});

test("there are 16 ingest partitions and 256 conversation partitions, all of them in use", () => {
  assert.equal(ingestPartitions.join(""), "0123456789abcdef");
  const names = Array.from({ length: 5_000 }, (_, n) => `room/${n}`);
  assert.equal(new Set(names.map(conversationPartition)).size, conversationPartitionCount);
  assert.deepEqual([...new Set(names.map(ingestPartition))].sort(), [...ingestPartitions]);
});

test("partitions stay the same when more conversations are seen than are remembered", () => {
  for (let n = 0; n < 20_001; n += 1) conversationPartition(`room/many-${n}`);
  assert.equal(conversationPartition("p2p/alice/bob"), 0x91);
});
