// How far others came, between two of whom one has blocked the other: in rooms, and where they are alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResultOf, sync } from "@parley/protocol";
import type { HistoryStore } from "../src/keep/store.ts";
import { overlapMs } from "../src/read/changed-marks.ts";
import { messageReceipts } from "../src/read/message-receipts.ts";
import { syncConversations } from "../src/read/sync.ts";
import { takeDoors } from "../src/write/doors.ts";
import { type Side, startSides } from "./replicas.ts";

const p2p = "p2p/alice/bob";
const room = "room/tea";
let version = 0;

async function startSide(t: Parameters<typeof startSides>[0], change?: (store: HistoryStore) => HistoryStore) {
  const side = (await (await startSides(t, "sqlite"))?.add(change)) as Side;
  await side.hold(p2p, room);
  await side.change(room, { event: "create", by: "carol", uids: ["alice", "bob"], name: "Tea" });
  for (const uid of ["alice", "bob", "carol"]) await side.receipt({ conv: room, uid, read: 1 });
  return side;
}

async function block(side: Side, blocked = true): Promise<void> {
  version += 1;
  await takeDoors(side, { doors: [{ owner: "alice", other: "bob", version, blocked, contact: false }] });
}

const read = async (side: Side, conv: string, uid: string, seq: number) =>
  (await side.receipt({ conv, uid, read: seq })).tell.toSorted();
const asked = (side: Side, conv: string, seq: number, uid: string) => messageReceipts(side, { conv, seq, uid });
const synced = async (side: Side, conv: string, uid: string) =>
  (await side.sync(uid)).conversations
    .find((one) => one.conv === conv)
    ?.receipts.map((one) => one.uid)
    .toSorted();

test("of who has blocked a user the blocked one is told no receipt: live, by sync, or asked for", async (t) => {
  const side = await startSide(t);
  const first = await side.say("bob", p2p, "1");
  assert.deepEqual(await read(side, p2p, "alice", first), ["alice", "bob"]);
  assert.deepEqual(await synced(side, p2p, "bob"), ["alice"]);
  const second = await side.say("bob", p2p, "2");
  await block(side);
  assert.deepEqual(await read(side, p2p, "alice", second), ["alice"]);
  assert.deepEqual(await synced(side, p2p, "bob"), []);
  const none = { of: 1, delivered: 0, read: 0, receipts: [{ uid: "alice", delivered: false, read: false }] };
  assert.deepEqual(await asked(side, p2p, first, "bob"), none);
  await block(side, false);
  assert.deepEqual(await synced(side, p2p, "bob"), ["alice"]);
  assert.deepEqual(await read(side, p2p, "alice", await side.say("bob", p2p, "3")), ["alice", "bob"]);
});

test("by no sync with `since` does who is blocked learn that the one who blocks has read", async (t) => {
  const side = await startSide(t);
  const seq = await side.say("bob", p2p, "1");
  const since = Date.now() + overlapMs;
  const later = async (uid: string) => {
    const caller = { uid, via: "service" as const };
    const text = await syncConversations(side, { cursors: { [p2p]: seq, [room]: 1 }, since }, caller);
    return (JSON.parse(text as string) as ResultOf<typeof sync>).conversations.map(({ conv }) => conv);
  };
  t.mock.timers.enable({ apis: ["Date"], now: since + 1 });
  await side.receipt({ conv: p2p, uid: "alice", read: seq });
  assert.deepEqual(await later("bob"), [p2p]);
  await block(side);
  assert.deepEqual(await later("bob"), []);
});

test("in a room two of whom one has blocked the other are told no receipts of each other; all others are", async (t) => {
  const side = await startSide(t);
  await read(side, room, "alice", await side.say("bob", room, "1"));
  await block(side);
  const ofBob = await side.say("bob", room, "2");
  assert.deepEqual(await read(side, room, "alice", ofBob), ["alice"]);
  assert.deepEqual(await read(side, room, "carol", ofBob), ["bob", "carol"]);
  const ofAlice = await side.say("alice", room, "3");
  assert.deepEqual(await read(side, room, "bob", ofAlice), ["bob"]);
  assert.deepEqual(await read(side, room, "carol", ofAlice), ["alice", "carol"]);
  assert.deepEqual(await synced(side, room, "bob"), ["carol"]);
  assert.deepEqual(await synced(side, room, "alice"), ["carol"]);
  assert.deepEqual(await synced(side, room, "carol"), ["alice", "bob"]);
  const carols = { uid: "carol", delivered: true, read: true };
  assert.deepEqual(await asked(side, room, ofBob, "bob"), {
    ...{ of: 2, delivered: 1, read: 1 },
    receipts: [{ uid: "alice", delivered: false, read: false }, carols],
  });
  await block(side, false);
  assert.deepEqual(await read(side, room, "alice", await side.say("bob", room, "4")), ["alice", "bob"]);
  assert.deepEqual(await synced(side, room, "bob"), ["alice", "carol"]);
});

test("whose receipts are told to whom is looked up once a user, and not once a receipt", async (t) => {
  let looked = 0;
  const counting = (store: HistoryStore): HistoryStore => {
    const doors = new Proxy(store.doors, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          looked += 1;
          return value.apply(target, args);
        };
      },
    });
    return { ...store, doors };
  };
  const side = await startSide(t, counting);
  const seqs = [await side.say("bob", room, "1"), await side.say("bob", room, "2"), await side.say("bob", room, "3")];
  assert.deepEqual(await read(side, room, "alice", seqs[0] ?? 0), ["alice", "bob"]);
  looked = 0;
  for (const seq of seqs.slice(1)) assert.deepEqual(await read(side, room, "alice", seq), ["alice", "bob"]);
  assert.equal(looked, 0);
});
