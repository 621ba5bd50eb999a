// Marks of members, in rooms of few and of many: counted are those who are there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "@parley/protocol";
import type { HistoryStore } from "../src/keep/store.ts";
import { messageReceipts } from "../src/read/message-receipts.ts";
import { startSides } from "./replicas.ts";

test("who is out is not counted: in a room of few that was large, marks are told, by sync and asked for; in a large one not", async (t) => {
  let looked = 0;
  const counting = (store: HistoryStore): HistoryStore => {
    const find: typeof store.members.find = async (query) => {
      const found = await store.members.find(query);
      if (query.index === "by_conv") looked += found.items.length;
      return found;
    };
    const members = new Proxy(store.members, {
      get(target, name) {
        const value = Reflect.get(target, name);
        return name === "find" ? find : typeof value === "function" ? value.bind(target) : value;
      },
    });
    return { ...store, members };
  };
  const side = (await (await startSides(t, "sqlite"))?.add(counting))!;
  const conv = "room/crowd";
  await side.hold(conv);
  const crowd = Array.from({ length: limits.smallRoomMembers + 100 }, (_, index) => `m${1_000 + index}`);
  await side.change(conv, { event: "create", by: "ann", uids: ["zoe", ...crowd], name: "Crowd" });
  const seq = await side.say("ann", conv, "1");
  const shown = async () => (await side.sync("ann")).conversations[0]?.receipts;
  const asked = async () => await messageReceipts(side, { conv, seq, uid: "ann" });

  assert.deepEqual((await side.receipt({ conv, uid: "m1000", read: seq })).tell, ["m1000"]);
  looked = 0;
  assert.deepEqual([await shown(), looked], [[], 0], "and no member of a large room is read for it");
  assert.deepEqual(await asked(), { of: 301, delivered: 1, read: 1 });

  await side.change(conv, { event: "remove", by: "ann", uids: crowd });
  assert.deepEqual((await side.receipt({ conv, uid: "zoe", delivered: seq })).tell.toSorted(), ["ann", "zoe"]);
  assert.deepEqual(await shown(), [{ uid: "zoe", delivered: seq, read: 0 }]);
  assert.deepEqual(await asked(), {
    ...{ of: 1, delivered: 1, read: 0 },
    receipts: [{ uid: "zoe", delivered: true, read: false }],
  });
});
