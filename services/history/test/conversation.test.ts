import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openStore } from "@parley/store";
import { serviceContext } from "@parley/testkit";
import { isMember, newMember } from "../src/fold/members.ts";
import { memberKey, openHistoryStore } from "../src/keep/store.ts";
import { createTrouble } from "../src/keep/trouble.ts";
import { startProjection } from "../src/project/projection.ts";
import { createShelf } from "../src/write/conversation.ts";

test("a conversation read again after a failure knows the removals that are not in the store yet", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "parley-shelf-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const opened = await openStore(`sqlite:${folder}`, { service: "history" });
  t.after(() => opened.close());
  const store = await openHistoryStore(opened);
  const conv = "room/r";
  await store.members.put([{ key: memberKey(conv, "bob"), doc: { ...newMember(conv, "bob"), stays: [[1, null]] } }]);
  const projection = startProjection(store, {
    everyMs: 60_000,
    trouble: createTrouble(serviceContext("history").log),
    pass: () => undefined,
  });
  t.after(() => projection.close());
  const shelf = createShelf(store, 100, { ...projection, direct: "anyone" });
  const before = await shelf.load(conv);
  const bob = before.members.get("bob");
  assert.ok(isMember(bob));
  Object.assign(bob, { stays: [[1, 5]], appliedSeq: 5 });
  projection.touch([bob]);
  shelf.drop(before.q);
  const after = await shelf.load(conv);
  assert.notEqual(after, before);
  assert.equal(isMember(after.members.get("bob")), false);
  await projection.flush();
  assert.deepEqual((await store.members.get(memberKey(conv, "bob")))?.doc.stays, [[1, 5]]);
});
