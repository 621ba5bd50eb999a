import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import { indexedOutbox } from "./indexed-outbox.ts";
import type { OutgoingMessage } from "./outbox.ts";

const message = (id: string, data = id): OutgoingMessage => ({
  id,
  conv: "p2p/a/b",
  packet: { id, to: "user/b", content: { type: "text", data } },
});
const texts = (messages: OutgoingMessage[]) => messages.map(({ packet }) => packet.content.data).join(" ");

test("IndexedDB keeps the order of an outbox, one message an id, over restarts and tabs, and devices apart", async () => {
  const outbox = indexedOutbox("x");
  for (const id of ["b", "a", "c"]) await outbox.put(message(id));
  await outbox.remove("a");
  await outbox.remove("never there");
  const again = indexedOutbox("x");
  await again.put(message("0"));
  await again.put(message("b", "b2"));
  assert.equal(texts(await again.load()), "b2 c 0");
  await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? outbox : again).put(message(`n${n}`))));
  assert.equal((await indexedOutbox("x").load()).length, 23);
  assert.deepEqual(await indexedOutbox("y").load(), []);
});

test("a message that IndexedDB cannot keep is rejected and leaves no trace", async () => {
  const outbox = indexedOutbox("uncloneable");
  await assert.rejects(outbox.put({ ...message("a"), packet: (() => {}) as never }), { name: "DataCloneError" });
  assert.deepEqual(await outbox.load(), []);
});
