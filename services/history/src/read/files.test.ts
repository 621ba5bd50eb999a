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
import { mayFetch, sentFiles } from "./files.ts";

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
  let pos = 0;
  return {
    store,
    places: (...places: Omit<FilePlace, "file">[]) =>
      store.files.put(places.map((place) => ({ key: fileKey({ file, ...place }), doc: { file, ...place } }))),
    members: (...uids: string[]) =>
      store.members.put(
        uids.map((uid) => ({ key: memberKey(conv, uid), doc: { ...newMember(conv, uid), stays: [[1, null]] } })),
      ),
    async stand(from: string, seq: number, content: object) {
      const body = Buffer.from(JSON.stringify({ id: `${seq}`, to: conv, content }));
      const entry = { q: 0, conv, seq, ord: seq, from, device: `${from}:d`, id: `${seq}`, type: "text", ts: 1 };
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
  const getMany = store.infos.getMany.bind(store.infos);
  store.infos.getMany = (keys) => {
    asked += 1;
    return getMany(keys);
  };
  assert.deepEqual([await may("bob"), asked], [false, 100]);
});
