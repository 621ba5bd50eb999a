import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemberPage } from "@parley/protocol";
import { askMembers } from "./ask-members.ts";

const row = (uid: string) => ({ uid, role: "member" as const, stays: [[1, null] as [number, null]] });
const conv = "room/r";

function asking(...pages: Omit<MemberPage, "conv">[]) {
  const asked: object[] = [];
  const json = async (_verb: string, _conv: string, body: object) => {
    asked.push(body);
    return { conv, ...pages[asked.length - 1] } as never;
  };
  return { askHolder: { json }, asked };
}

test("pages of members are one list", async () => {
  const { askHolder, asked } = asking(
    { memberSeq: 3, members: [row("a")], next: "a" },
    { memberSeq: 3, members: [row("b")] },
  );
  assert.deepEqual(await askMembers(askHolder, { conv, seq: 7 }), {
    conv,
    memberSeq: 3,
    members: [row("a"), row("b")],
  });
  assert.deepEqual(asked, [
    { conv, seq: 7 },
    { conv, after: "a", seq: 7 },
  ]);
});

test("of a room that changes between two pages what changed is read too, and the list is of then", async () => {
  const { askHolder, asked } = asking(
    { memberSeq: 3, members: [row("a"), row("b")], next: "b" },
    { memberSeq: 4, members: [row("d")] },
    { memberSeq: 5, members: [row("c"), { ...row("a"), stays: [] }, row("d")], since: 3 },
  );
  const list = await askMembers(askHolder, { conv, seq: 2 });
  assert.deepEqual(list, { conv, memberSeq: 5, members: [row("b"), row("c"), row("d")] });
  assert.deepEqual(asked[2], { conv, seq: 2, known: 3, changes: true });
});

test("a room in which too much changes between two pages is read again from the first", async () => {
  const { askHolder } = asking(
    { memberSeq: 3, members: [row("a")], next: "a" },
    { memberSeq: 4, members: [] },
    { memberSeq: 4, members: [row("a")] },
  );
  assert.deepEqual(await askMembers(askHolder, { conv }), { conv, memberSeq: 4, members: [row("a")] });
});

test("a list that is still the one the caller knows is not sent", async () => {
  const { askHolder } = asking({ memberSeq: 3, members: [], unchanged: true });
  assert.equal(await askMembers(askHolder, { conv, known: 3 }), undefined);
});
