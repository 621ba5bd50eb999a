import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemberList } from "@parley/protocol";
import { createMembers, topicsFor } from "./members.ts";

const list = (memberSeq: number, members: MemberList["members"]): MemberList => ({
  conv: "room/r",
  memberSeq,
  members,
});
const member = (uid: string, ...stays: [number, number | null][]) => ({ uid, role: "member" as const, stays });

test("a list that is older than the message's last membership event is read again", async () => {
  let memberSeq = 1;
  let reads = 0;
  const members = createMembers(async () => {
    reads += 1;
    return list(memberSeq, [member("a", [1, null])]);
  });
  await members.listOf("room/r", 1);
  await members.listOf("room/r", 1);
  assert.equal(reads, 1);
  memberSeq = 5;
  assert.equal((await members.listOf("room/r", 5)).memberSeq, 5);
  assert.equal(reads, 2);
  members.changed("room/r", 6);
  memberSeq = 6;
  await members.anyListOf("room/r");
  assert.equal(reads, 3);
});

test("a list that stays older than asked for is an error, not a delivery to the wrong people", async () => {
  const members = createMembers(async () => list(1, []));
  await assert.rejects(async () => members.listOf("room/r", 2), /not to be had/);
});

test("a message goes to those whose stay holds it, also after they left", async () => {
  const members = createMembers(async () =>
    list(7, [member("a", [1, null]), member("b", [1, 4]), member("c", [7, null]), member("d", [1, 2], [6, null])]),
  );
  const cached = await members.listOf("room/r", 7);
  const to = (seq: number) => topicsFor(cached, seq).map((topic) => topic.split("/")[2]);
  assert.deepEqual(to(2), ["a", "b", "d"]);
  assert.deepEqual(to(4), ["a", "b"]);
  assert.deepEqual(to(5), ["a"]);
  assert.deepEqual(to(7), ["a", "c", "d"]);
  assert.deepEqual(to(8), ["a", "c", "d"]);
});
