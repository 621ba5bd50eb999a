import assert from "node:assert/strict";
import { test } from "node:test";
import { serviceContext } from "@parley/testkit";
import type { SessionChange } from "./change.ts";
import { openWaiting } from "./waiting.ts";

const phone = { uid: "alice", clientId: "alice:phone" };

async function replayed(...changes: SessionChange[]): Promise<SessionChange[]> {
  const waiting = openWaiting(serviceContext("presence").log);
  for (const change of changes) waiting.add(change);
  const made: SessionChange[] = [];
  await waiting.replay(async (change) => void made.push(change));
  return made;
}

test("that a device is invisible outlives its next connection while Redis is away, and nothing else it said does", async () => {
  const made = await replayed(
    { ...phone, op: "state", at: 1, by: "r", show: "dnd", status: "busy", active: false },
    { ...phone, op: "state", at: 2, by: "r", show: "invisible" },
    { ...phone, op: "connect", at: 3, invisible: false },
  );
  assert.deepEqual(made, [
    { ...phone, op: "state", at: 2, by: "r", show: "invisible" },
    { ...phone, op: "connect", at: 3, invisible: true, unsure: true },
  ]);
});

test("words in a row are one, so that none is dropped for their number", async () => {
  const words = Array.from({ length: 9 }, (_, at): SessionChange => ({ ...phone, op: "state", at, status: `${at}` }));
  const made = await replayed(
    { ...phone, op: "connected", at: 0 },
    { ...phone, op: "state", at: 0, show: "dnd" },
    ...words,
  );
  assert.deepEqual(made, [
    { ...phone, op: "connected", at: 0, invisible: true, unsure: true },
    { ...phone, op: "state", at: 8, show: "dnd", status: "8" },
  ]);
});

test("that a device is invisible outlives any number of changes that wait behind it", async () => {
  const changes: SessionChange[] = [
    { ...phone, op: "state", at: 1, by: "r", show: "invisible", status: "busy" },
    { ...phone, op: "connect", at: 2, invisible: false },
    { ...phone, op: "connected", at: 3 },
    { ...phone, op: "state", at: 4, by: "r", active: false },
    { ...phone, op: "end", at: 5 },
  ];
  const word = { ...phone, op: "state", at: 1, by: "r", show: "invisible" };
  assert.deepEqual(await replayed(...changes, { ...phone, op: "connect", at: 6, invisible: false }), [
    word,
    { ...phone, op: "connect", at: 6, invisible: true, unsure: true },
  ]);
  const more = [6, 7, 8].map((at): SessionChange => ({ ...phone, op: "end", at }));
  assert.deepEqual(await replayed(...changes, ...more), [word, changes[4], ...more], "and the four behind it are kept");
  const visible: SessionChange = { ...phone, op: "state", at: 6, by: "r", show: "online" };
  const made = await replayed(...changes, visible, ...more);
  assert.deepEqual(made, [visible, ...more], "but not a later word");
});
