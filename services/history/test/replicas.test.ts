// Two replicas of history on one store: what is read, by whom, and what a holder may do that is none any more.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { conversationPartition } from "@parley/protocol/partition";
import { StoreError } from "@parley/store";
import { type HistoryStore, memberKey } from "../src/keep/store.ts";
import { type Engine, itemOf, type Side, type Sides, startSides } from "./replicas.ts";

const room = "room/team";
const p2p = "p2p/alice/bob";
const uids = ["alice", "bob", "carol"];
const seqs = (messages: readonly { seq: number }[]) => messages.map(({ seq }) => seq);

for (const engine of ["sqlite", "mongodb"] as const) {
  test(`replicas of history on ${engine}`, async (t) => {
    if (!(await startSides(t, engine))) return t.skip("no MongoDB here");
    const withSides = (title: string, work: (sides: Sides) => Promise<void>) =>
      t.test(title, async (t) => work((await startSides(t, engine)) as Sides));

    await withSides(
      "what the holder acknowledged is read at once from every replica: lists, sync, pages, unread",
      sameReads,
    );
    await withSides(
      "a removed member is shown nothing stored after its removal, by no replica at no moment",
      removedMember,
    );
    await withSides("a member removed while a page is being read is shown nothing stored after that", removedMeanwhile);
    await withSides(
      "while nobody holds a partition reads are complete, and the next holder goes on from there",
      nobodyHolds,
    );
    await withSides("a holder that was paused past its lease takes nothing back when it wakes up", wakingHolder);
    await withSides("receipts never go back over hand-overs", receiptsOverHandOver);
    await withSides("marks only move forward, and never past what the documents have", marksForward);
  });
}

test("partitions are taken over a few at a time, so that a slow store has answered some when it is asked for others", async (t) => {
  const sides = (await startSides(t, "sqlite" satisfies Engine)) as Sides;
  let asked = 0;
  let most = 0;
  const side = await sides.add((store) => {
    const last: typeof store.log.last = async (q) => {
      asked += 1;
      most = Math.max(most, asked);
      await setImmediate();
      asked -= 1;
      return store.log.last(q);
    };
    const get = (log: typeof store.log, name: keyof typeof store.log) => (name === "last" ? last : log[name].bind(log));
    return { ...store, log: new Proxy(store.log, { get }) as typeof store.log };
  });
  const all = Array.from({ length: 64 }, (_, q) => q);
  await Promise.all(all.map((q) => side.partitions.acquire(q)));
  assert.ok(all.every((q) => side.partitions.writer(q)));
  assert.equal(most, 8);
  side.partitions.stop();
  await side.partitions.acquire(64);
  assert.equal(side.partitions.writer(64), undefined);
});

test("nothing is stored on top of a change of members that the documents do not show", async (t) => {
  const sides = (await startSides(t, "sqlite" satisfies Engine)) as Sides;
  const trouble = { isOn: false };
  const one = await sides.add((store) => failing(store, trouble));
  const two = await sides.add();
  await one.hold(room, p2p);
  await one.change(room, { event: "create", by: "alice", uids: ["bob"], name: "Team" });
  trouble.isOn = true;
  await assert.rejects(one.change(room, { event: "remove", by: "alice", uids: ["bob"] }, "remove:1"));
  const { pos } = await one.store.log.last(conversationPartition(room));
  await assert.rejects(one.say("alice", room, "after"));
  await assert.rejects(one.say("alice", p2p, "first"));
  assert.equal((await one.store.log.last(conversationPartition(room))).pos, pos);
  // Not answered yet, so both would be right; a page of what came after it would not be.
  assert.deepEqual(seqs((await two.get("bob", room)).messages), [1, 2]);
  trouble.isOn = false;
  const { changed } = await one.change(room, { event: "remove", by: "alice", uids: ["bob"] }, "remove:1");
  assert.deepEqual(changed, ["bob"]);
  assert.equal(await one.say("alice", p2p, "first"), 1);
  assert.deepEqual(
    (await two.list("bob")).conversations.map(({ conv }) => conv),
    [p2p],
  );
});

async function sameReads(sides: Sides): Promise<void> {
  const one = await sides.add();
  const two = await sides.add();
  await one.hold(room, p2p);
  const steps: (() => Promise<unknown>)[] = [
    () => one.say("alice", p2p, "1"),
    () => one.say("alice", p2p, "2"),
    () => one.change(room, { event: "create", by: "alice", uids: ["bob"], name: "Team" }),
    () => one.say("bob", room, "3"),
    () => one.say("bob", p2p, "4"),
    () => one.receipt({ conv: p2p, uid: "alice", read: 3 }),
    () => one.change(room, { event: "invite", by: "alice", uids: ["carol"] }),
    () => one.say("carol", room, "5"),
    () => one.say("alice", room, "6"),
    () => one.change(room, { event: "remove", by: "alice", uids: ["bob"] }),
    () => one.say("alice", room, "7"),
    () => one.projection.flush(),
    () => one.say("alice", room, "8"),
    () => one.receipt({ conv: room, uid: "carol", read: 7, delivered: 8 }),
    () => one.partitions.mark(),
    () => one.say("carol", room, "9"),
    () => one.change(room, { event: "invite", by: "alice", uids: ["bob"] }),
    () => one.change(room, { event: "leave", by: "alice", uids: ["alice"] }),
  ];
  for (const step of steps) {
    await step();
    for (const uid of uids) assert.deepEqual(await readAll(two, uid), await readAll(one, uid));
  }
  const unread = (await two.list("bob")).conversations.map(({ conv, unread }) => [conv, unread]);
  assert.deepEqual(unread, [
    [room, 0],
    [p2p, 0],
  ]);
  const [listed] = (await two.list("carol")).conversations;
  assert.deepEqual([listed?.name, listed?.unread, listed?.readSeq], ["Team", 0, 7]);
}

async function readAll(side: Side, uid: string): Promise<unknown> {
  const page = async (conv: string) => side.get(uid, conv).catch((error: { code: string }) => error.code);
  const { at: _moment, ...synced } = await side.sync(uid);
  return [await side.list(uid), synced, await page(room), await page(p2p)];
}

async function removedMember(sides: Sides): Promise<void> {
  const one = await sides.add();
  const two = await sides.add();
  await one.hold(room);
  await one.change(room, { event: "create", by: "alice", uids: ["bob"] });
  let done = false;
  const shown = new Set<number>();
  const readers = [one, two, two].map(async (side, index) => {
    while (!done) {
      // SQLite answers within the turn: let the writer have its own.
      await setImmediate();
      const messages =
        index === 2 ? (await side.get("bob", room)).messages : (await side.sync("bob")).conversations[0]?.messages;
      for (const seq of seqs(messages ?? [])) shown.add(seq);
    }
  });
  for (let round = 0; round < 25; round++) {
    await one.say("alice", room, `in ${round}`);
    await one.change(room, { event: "remove", by: "alice", uids: ["bob"] });
    await Promise.all([1, 2, 3].map((n) => one.say("alice", room, `out ${round} ${n}`)));
    // In turns also with everything in the documents, and with nothing of it.
    if (round % 5 === 0) await one.partitions.mark();
    await one.change(room, { event: "invite", by: "alice", uids: ["bob"] });
  }
  done = true;
  await Promise.all(readers);
  const stays = (await one.store.members.get(memberKey(room, "bob")))?.doc.stays ?? [];
  assert.equal(stays.length, 26);
  assert.ok(shown.size > 30, `${shown.size} messages shown`);
  const wrong = [...shown].filter((seq) => !stays.some(([from, to]) => from <= seq && seq <= (to ?? seq)));
  assert.deepEqual(wrong, []);
}

async function removedMeanwhile(sides: Sides): Promise<void> {
  let meanwhile: (() => Promise<void>) | undefined;
  let before: "heads" | "read" = "heads";
  // Between the documents and the ends of the log, or between those and the messages.
  const interrupted = (store: HistoryStore) => {
    const stop =
      (name: typeof before, call: (...args: never[]) => unknown) =>
      async (...args: never[]) => {
        const work = name === before ? meanwhile : undefined;
        if (work) meanwhile = undefined;
        await work?.();
        return call(...args);
      };
    const get = (log: typeof store.log, name: keyof typeof store.log) => {
      const call = log[name].bind(log) as (...args: never[]) => unknown;
      return name === "heads" || name === "read" ? stop(name, call) : call;
    };
    return { ...store, log: new Proxy(store.log, { get }) as typeof store.log };
  };
  const holder = await sides.add(interrupted);
  const other = await sides.add(interrupted);
  await holder.hold(room);
  await holder.change(room, { event: "create", by: "alice", uids: ["bob"] });
  const reads = [
    async (side: Side) => (await side.get("bob", room)).messages,
    async (side: Side) => (await side.get("bob", room, { before: 1_000 })).messages,
    async (side: Side) => (await side.sync("bob")).conversations[0]?.messages,
    async (side: Side) => (await side.list("bob")).conversations.map(({ lastMessage }) => lastMessage ?? { seq: 0 }),
  ];
  let interruptions = 0;
  for (const read of reads) {
    for (const side of [holder, other]) {
      for (const [isFolded, at] of [
        [false, "heads"],
        [true, "heads"],
        [false, "read"],
        [true, "read"],
      ] as const) {
        let removedAt = Number.POSITIVE_INFINITY;
        before = at;
        meanwhile = async () => {
          removedAt = (await holder.change(room, { event: "remove", by: "alice", uids: ["bob"] })).seq;
          await holder.say("alice", room, `after ${removedAt}`);
          if (isFolded) await holder.partitions.mark();
          interruptions++;
        };
        const shown = seqs((await read(side)) ?? []);
        meanwhile = undefined;
        assert.deepEqual(
          shown.filter((seq) => seq > removedAt),
          [],
        );
        await holder.change(room, { event: "invite", by: "alice", uids: ["bob"] });
      }
    }
  }
  // A list need not read a message: it has it with the end of the log.
  assert.equal(interruptions, 28);
}

async function nobodyHolds(sides: Sides): Promise<void> {
  const one = await sides.add();
  const two = await sides.add();
  await one.hold(room, p2p);
  await one.change(room, { event: "create", by: "alice", uids: ["bob"], name: "Team" });
  for (const id of ["1", "2", "3"]) await one.say("alice", p2p, id);
  await one.say("bob", p2p, "4");
  await one.say("alice", p2p, "5");
  await one.say("alice", room, "6");
  // From here on the holder does nothing, as one that is dead.
  const unread = async () =>
    (await two.list("bob")).conversations.map(({ conv, unread }) => `${conv} ${unread}`).sort();
  assert.deepEqual(await unread(), [`${p2p} 1`, `${room} 1`]);
  assert.deepEqual(seqs((await two.get("bob", p2p)).messages), [1, 2, 3, 4, 5]);
  await two.hold(room, p2p);
  assert.deepEqual(await unread(), [`${p2p} 1`, `${room} 1`]);
  assert.equal(await two.say("alice", p2p, "5"), 5);
  assert.equal(await two.say("bob", p2p, "7"), 6);
  assert.deepEqual(await unread(), [`${p2p} 0`, `${room} 1`]);
}

async function wakingHolder(sides: Sides): Promise<void> {
  const paused = await sides.add();
  await paused.hold(room, p2p);
  await paused.change(room, { event: "create", by: "alice", uids: ["bob", "carol"], name: "Team" });
  await paused.say("bob", room, "1");
  await paused.say("alice", p2p, "1");
  const next = await sides.add();
  await next.hold(room, p2p);
  await next.change(room, { event: "remove", by: "alice", uids: ["bob"] });
  for (const id of ["2", "3"]) await next.say("carol", room, id);
  for (const id of ["2", "3"]) await next.say("bob", p2p, id);
  await next.receipt({ conv: room, uid: "carol", read: 4 });
  await next.partitions.mark();
  const before = await documents(next.store);
  // It wakes up, and does what it was about to do.
  await paused.projection.flush();
  await paused.partitions.mark();
  assert.deepEqual(await documents(next.store), before);
  for (const uid of uids) assert.deepEqual(await readAll(paused, uid), await readAll(next, uid));
  const outcome = await paused.send(itemOf("bob", room, "removed"));
  assert.equal("error" in outcome && outcome.error.code, "not_member");
  assert.equal(await paused.say("carol", room, "4"), 6);
  // And now the other one is the one that is late.
  assert.equal(await next.say("alice", room, "5"), 7);
  assert.deepEqual(seqs((await next.get("carol", room)).messages), [1, 2, 3, 4, 5, 6, 7]);
  for (const uid of uids) assert.deepEqual(await readAll(paused, uid), await readAll(next, uid));
}

async function documents(store: HistoryStore): Promise<unknown> {
  const { items } = await store.members.find({ limit: 100 });
  const marks = await store.marks.find({ limit: 300 });
  return [items.map(({ key, doc }) => ({ key, doc })), marks.items.map(({ key, doc }) => [key, doc.foldedPos])];
}

async function receiptsOverHandOver(sides: Sides): Promise<void> {
  const one = await sides.add();
  const two = await sides.add();
  await one.hold(p2p);
  for (let n = 1; n <= 9; n++) await one.say("alice", p2p, String(n));
  assert.equal((await one.receipt({ conv: p2p, uid: "bob", read: 4 })).notice.read, 4);
  await two.hold(p2p);
  assert.equal((await two.receipt({ conv: p2p, uid: "bob", read: 5 })).notice.read, 5);
  // The one before was paused with this in hand; it is answered, so it counts.
  assert.equal((await one.receipt({ conv: p2p, uid: "bob", read: 8 })).notice.read, 8);
  assert.equal((await two.receipt({ conv: p2p, uid: "bob", read: 6 })).notice.read, 8);
  await one.receipt({ conv: p2p, uid: "bob", delivered: 3 });
  await Promise.all([one, two].map((side) => side.projection.flush()));
  for (const side of [one, two]) {
    const [row] = (await side.list("bob")).conversations;
    assert.deepEqual([row?.readSeq, row?.unread], [8, 1]);
    const [synced] = (await side.sync("alice")).conversations;
    assert.deepEqual(synced?.receipts, [{ uid: "bob", delivered: 8, read: 8 }]);
  }
}

async function marksForward(sides: Sides): Promise<void> {
  const q = conversationPartition(p2p);
  const one = await sides.add();
  await one.hold(p2p);
  await one.say("alice", p2p, "1");
  await one.partitions.mark();
  await one.say("alice", p2p, "2");
  const two = await sides.add();
  await two.hold(p2p);
  await two.say("alice", p2p, "3");
  await two.partitions.mark();
  await one.partitions.mark();
  const foldedPos = (await two.store.marks.get(String(q)))?.doc.foldedPos;
  assert.equal(foldedPos, 3);
  const stored = (await two.store.members.get(memberKey(p2p, "alice")))?.doc;
  assert.equal(stored?.sentSeq, 3);
}

function failing(store: HistoryStore, trouble: { isOn: boolean }): HistoryStore {
  const { members } = store;
  const writeMany: typeof members.writeMany = async (entries) => {
    if (trouble.isOn) throw new StoreError("unavailable", "documents cannot be written");
    return members.writeMany(entries);
  };
  const kept: typeof members = {
    get: (key) => members.get(key),
    getMany: (keys) => members.getMany(keys),
    find: (query) => members.find(query),
    insert: (key, doc) => members.insert(key, doc),
    update: (key, doc, ifVersion) => members.update(key, doc, ifVersion),
    put: (entries) => members.put(entries),
    remove: (key, ifVersion) => members.remove(key, ifVersion),
    writeMany,
  };
  return { ...store, members: kept };
}
