// A place that was noted for a message that was never stored grants nothing, whatever came to stand there.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openStore } from "@parley/store";
import { newMember } from "../fold/members.ts";
import { fileKey, memberKey, openHistoryStore } from "../keep/store.ts";
import { mayFetch, sentFiles } from "./files.ts";

const file = `f-${"a".repeat(32)}`;
const conv = "room/r1";

test("a place whose message was never stored lets nobody fetch the file, before and after another message stands there", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "parley-files-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const opened = await openStore(`sqlite:${folder}`, { service: "history", lockWaitMs: 0 });
  t.after(() => opened.close());
  const store = await openHistoryStore(opened);
  await store.files.put([{ key: fileKey({ file, conv, seq: 1 }), doc: { file, conv, seq: 1 } }]);
  await store.members.put([
    { key: memberKey(conv, "bob"), doc: { ...newMember(conv, "bob"), stays: [[1, null]] } },
    { key: memberKey(conv, "ann"), doc: { ...newMember(conv, "ann"), stays: [[1, null]] } },
  ]);
  const bobMay = () => mayFetch({ store }, { file, owner: "ann", uid: "bob" });
  const isSent = async () => (await sentFiles({ store }, [file])).length > 0;
  assert.deepEqual([await bobMay(), await isSent()], [false, false]);
  const stand = async (seq: number, content: object) => {
    const body = Buffer.from(JSON.stringify({ id: `${seq}`, to: conv, content }));
    const entry = {
      q: 0,
      pos: seq,
      conv,
      seq,
      ord: seq,
      from: "ann",
      device: "ann:d",
      id: `${seq}`,
      type: "text",
      ts: 1,
    };
    await store.log.append(0, [{ ...entry, origin: null, event: null, memberSeq: 0, body }]);
  };
  await stand(1, { type: "text", data: file });
  assert.deepEqual([await bobMay(), await isSent()], [false, false]);
  await store.files.put([{ key: fileKey({ file, conv, seq: 2 }), doc: { file, conv, seq: 2 } }]);
  await stand(2, { type: "file", file });
  assert.deepEqual([await bobMay(), await isSent()], [true, true]);
});
