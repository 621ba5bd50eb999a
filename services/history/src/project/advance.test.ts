import assert from "node:assert/strict";
import { test } from "node:test";
import { newMember } from "../fold/members.ts";
import type { Member } from "../keep/store.ts";
import { laterMember } from "./advance.ts";

const member = (more: Partial<Member>): Member => ({ ...newMember("p2p/a/b", "a"), ...more });

test("of what a member keeps for itself nothing is taken back, whoever writes the document when", () => {
  const stored = member({ deletedTo: 4, deletedOrd: 4, hidden: [[6, 6]], settings: { version: 3, name: "now" } });
  const behind = member({
    readSeq: 9,
    readOrd: 9,
    deletedTo: 2,
    deletedOrd: 2,
    hidden: [
      [3, 3],
      [8, 8],
    ],
    settings: { version: 2, name: "before" },
  });
  const expected = { ...stored, readSeq: 9, readOrd: 9 };
  const both = laterMember(stored, behind);
  assert.deepEqual(both.settings, expected.settings);
  assert.deepEqual([both.deletedTo, both.readSeq], [4, 9]);
  assert.deepEqual(both.hidden, [
    [6, 6],
    [8, 8],
  ]);
  assert.deepEqual(laterMember(behind, stored).settings, { version: 3, name: "now" });
  assert.equal(laterMember(both, behind), both, "what adds nothing is not written");
});

test("with which devices a member is there follows the later event, also where that took the bound away", () => {
  const partly = member({ appliedSeq: 4, devices: ["a:pc"], deviceJoins: [["a:pc", 3, 2]] });
  const whole = member({ appliedSeq: 6 });
  assert.deepEqual(laterMember(member({ appliedSeq: 2 }), partly).devices, ["a:pc"]);
  const later = laterMember(partly, whole);
  assert.deepEqual([later.devices, later.deviceJoins], [undefined, undefined]);
  assert.deepEqual(laterMember(whole, partly), whole);
});
