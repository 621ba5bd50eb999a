// What the places of a file grant, and how much is looked at for one question.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openStore } from "@parley/store";
import type { TestContext } from "@parley/testkit";
import { newMember } from "../fold/members.ts";
import { type FilePlace, fileKey, memberKey, openHistoryStore } from "../keep/store.ts";
import { heirsOf, mayFetch, sentFiles } from "./files.ts";
import { freedFiles } from "./freed-files.ts";

const file = `f-${"a".repeat(32)}`;
const conv = "room/r1";

async function begin(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "parley-files-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const opened = await openStore(`sqlite:${folder}`, { service: "history", lockWaitMs: 0 });
  t.after(() => opened.close());
  const store = await openHistoryStore(opened);
  let reads = 0;
  const range = store.log.range.bind(store.log);
  store.log.range = (...query) => {
    reads += 1;
    return range(...query);
  };
  let looks = 0;
  for (const collection of [store.members, store.infos, store.files]) {
    const [find, getMany] = [collection.find.bind(collection), collection.getMany.bind(collection)];
    Object.assign(collection, {
      find: (query: Parameters<typeof find>[0]) => {
        looks += 1;
        return find(query);
      },
      getMany: (keys: string[]) => {
        looks += 1;
        return getMany(keys);
      },
    });
  }
  let pos = 0;
  return {
    store,
    /** at documents, since this was asked last */
    looks() {
      const before = looks;
      looks = 0;
      return before;
    },
    async heirs(owner: string, heirs: string[] = [], others: string[] = []) {
      const found = new Set<string>();
      for (let page: string | null | undefined; page !== null; ) {
        const answer = await heirsOf(store, { file, owner, heirs, others, ...(page ? { page } : {}) });
        for (const uid of answer.heirs) found.add(uid);
        page = answer.next;
      }
      return [...found].sort();
    },
    places: (...places: Omit<FilePlace, "file">[]) =>
      store.files.put(places.map((place) => ({ key: fileKey({ file, ...place }), doc: { file, ...place } }))),
    members: (...uids: string[]) =>
      store.members.put(
        uids.map((uid) => ({ key: memberKey(conv, uid), doc: { ...newMember(conv, uid), stays: [[1, null]] } })),
      ),
    async stand(from: string, seq: number, content: object, where = conv) {
      const body = Buffer.from(JSON.stringify({ id: `${seq}`, to: where, content }));
      const entry = { q: 0, conv: where, seq, ord: seq, from, device: `${from}:d`, id: `${seq}`, type: "text", ts: 1 };
      pos += 1;
      await store.log.append(0, [{ ...entry, pos, origin: null, event: null, memberSeq: 0, body }]);
    },
    may: (uid: string) => mayFetch(store, { file, owner: "ann", uid }),
    /** of the log, since this was asked last */
    reads() {
      const before = reads;
      reads = 0;
      return before;
    },
  };
}

const withFile = { type: "file", file };

for (const [noted, from] of [
  ["", { from: "ann" }],
  [", noted without its sender by an earlier version,", {}],
] as const)
  test(`a place${noted} whose message was never stored lets nobody fetch the file, before and after another message stands there`, async (t) => {
    const { store, places, members, stand, may } = await begin(t);
    const isSent = async () => (await sentFiles(store, [file])).sent.length > 0;
    await places({ conv, seq: 1, ...from });
    await members("ann", "bob");
    assert.deepEqual([await may("bob"), await isSent()], [false, false]);
    await stand("ann", 1, { type: "text", data: file });
    assert.deepEqual([await may("bob"), await isSent()], [false, false]);
    await places({ conv, seq: 2, ...from });
    await stand("ann", 2, withFile);
    assert.deepEqual([await may("bob"), await isSent()], [true, true]);
  });

test("what people send who may not have the file hides no message of its owner, and is not read", async (t) => {
  const { places, members, stand, may, reads } = await begin(t);
  await members("ann", "bob", "eve");
  const hostile = Array.from({ length: 10_100 }, (_, index) => ({ conv, seq: 1_000 + index, from: "eve" }));
  await places(...hostile);
  await stand("eve", 1_000, withFile);
  assert.deepEqual([await may("bob"), reads()], [false, 0]);
  await places({ conv, seq: 99_999, from: "ann" });
  await stand("ann", 99_999, withFile);
  assert.deepEqual([await may("bob"), reads()], [true, 1]);
});

test("of messages that do not stand 200 are looked up for one question, the newest first; a file that may be sent is kept", async (t) => {
  const { store, places, members, stand, may, reads } = await begin(t);
  await members("ann", "bob");
  await places(...Array.from({ length: 300 }, (_, index) => ({ conv, seq: 1 + index, from: "ann" })));
  assert.deepEqual([await may("bob"), reads()], [false, 200]);
  const files = Array.from({ length: 100 }, () => file);
  assert.deepEqual([await sentFiles(store, files), reads()], [{ sent: Array(10).fill(file), taken: 10 }, 2_000]);
  await stand("ann", 300, withFile);
  assert.deepEqual([await may("bob"), reads()], [true, 1]);
});

test("a file that was sent on in many ways is looked for with a hundred users at most", async (t) => {
  const { places, members, may, store } = await begin(t);
  const uids = Array.from({ length: 150 }, (_, index) => `u${index}`);
  await members("bob", ...uids);
  await places(...uids.map((from, index) => ({ conv, seq: 1 + index, from })));
  let asked = 0;
  const getMany = store.members.getMany.bind(store.members);
  store.members.getMany = (keys) => {
    asked += 1;
    return getMany(keys);
  };
  assert.deepEqual([await may("bob"), asked], [false, 100]);
});

test("who has a file from one of a hundred heirs is told so by a handful of reads, as is who has it from nobody", async (t) => {
  const { store, places, members, stand, looks, reads } = await begin(t);
  const heirs = Array.from({ length: 100 }, (_, index) => `u${index}`);
  await members("bob", "eve", ...heirs);
  await places(...heirs.map((from, index) => ({ conv, seq: 1 + index, from })), { conv, seq: 500, from: "eve" });
  await stand("u99", 100, withFile);
  await stand("eve", 500, withFile);
  const may = (uid: string) => mayFetch(store, { file, owner: "ann", heirs, uid });
  assert.equal(await may("bob"), true);
  assert.deepEqual([looks(), reads()], [3, 1]);
  assert.equal(await may("zoe"), false);
  assert.ok(looks() <= 3 && reads() === 0);
});

test("heirs are all who sent a file on and could have it, whichever way it came to them, a page of places at a time", async (t) => {
  const { places, members, stand, heirs, looks } = await begin(t);
  const sent = async (from: string, seq: number) => {
    await places({ conv, seq, from });
    await stand(from, seq, withFile);
  };
  await members("ann", "bob", "carl");
  await sent("ann", 1);
  await sent("carl", 2);
  await sent("bob", 3);
  // One is about to send it, and another one's message never came.
  await places({ conv, seq: 9, from: "dora", at: Date.now() }, { conv, seq: 9_000, from: "gil" });
  await members("dora", "fay", "gil");
  const toEve = "p2p/eve/fred";
  await places({ conv: toEve, seq: 1, from: "eve" });
  assert.deepEqual(await heirs("ann"), ["bob", "carl", "dora"]);
  assert.deepEqual(await heirs("ann", [], ["eve", "fay"]), ["bob", "carl", "dora", "fay"]);
  // However many places there are, a page is looked at with a few reads.
  await members("eve");
  await places(...Array.from({ length: 1_000 }, (_, index) => ({ conv, seq: 10_000 + index, from: "eve" })));
  looks();
  assert.deepEqual(await heirs("ann"), ["bob", "carl", "dora"]);
  assert.ok(looks() < 21 * 10, "of each of 21 pages");
});

test("of two who had a file of each other and of its owner each one is an heir, however they are asked for", async (t) => {
  const { places, stand, heirs } = await begin(t);
  const direct = ["p2p/ann/carl", "p2p/bob/carl", "p2p/bob/carl"] as const;
  const senders = ["ann", "bob", "carl"];
  for (const [index, name] of direct.entries()) {
    await places({ conv: name, seq: index + 1, from: senders[index]! });
    await stand(senders[index]!, index + 1, withFile, name);
  }
  assert.deepEqual(await heirs("ann"), ["bob", "carl"]);
});

test("what emptied messages leave of a file's places is removed while it is freed, and the file is told as free at last", async (t) => {
  const { store, places, stand } = await begin(t);
  const left = async () => (await store.files.find({ limit: 1_000 })).items.length;
  const free = async () => (await freedFiles({ store }, { removed: [], before: Date.now() + 1 })).files.length;
  await places(...Array.from({ length: 300 }, (_, index) => ({ conv, seq: 1 + index, from: "ann" })));
  await stand("ann", 301, withFile);
  await places({ conv, seq: 301, from: "ann" });
  assert.equal(await left(), 301);
  await store.log.blank(conv, 301);
  assert.equal(await left(), 300, "the place goes with the message");
  assert.deepEqual([await free(), await left()], [0, 100]);
  assert.deepEqual([await free(), await left()], [1, 0]);
});
