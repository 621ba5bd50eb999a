import assert from "node:assert/strict";
import { test } from "node:test";
import type { Role, RoomSettings, RoomState } from "@parley/protocol";
import { newMember } from "../fold/members.ts";
import type { Member } from "../keep/store.ts";
import { may, refuseWriting } from "./rights.ts";

const room = (settings: RoomSettings, more: Partial<RoomState> = {}): RoomState => ({ settings, ...more });
const member = (role: Role, more: Partial<Member> = {}): Member => ({ ...newMember("room/r", "u"), role, ...more });
const roles = ["member", "admin", "owner"] as const;
const whoMay = (action: Parameters<typeof may>[2], settings: RoomSettings = {}) =>
  roles.filter((role) => may(room(settings), { role }, action));

test("who may do what follows the role, and the room's settings where they say so", () => {
  assert.deepEqual(whoMay("write"), ["member", "admin", "owner"]);
  for (const action of [
    "invite",
    "pin",
    "mentionAll",
    "admit",
    "remove",
    "ban",
    "mute",
    "update",
    "link",
    "closePolls",
  ] as const)
    assert.deepEqual(whoMay(action), ["admin", "owner"], action);
  for (const action of ["setRole", "transfer", "archive", "delete"] as const)
    assert.deepEqual(whoMay(action), ["owner"], action);
  assert.deepEqual(whoMay("write", { write: "admin" }), ["admin", "owner"]);
  assert.deepEqual(whoMay("invite", { invite: "member" }), ["member", "admin", "owner"]);
  assert.deepEqual(whoMay("pin", { pin: "owner" }), ["owner"]);
  assert.ok(may(undefined, { role: "member" }, "write"), "a room of an earlier version has the defaults");
});

const writing = (state: RoomState | undefined, who: Member, type = "text", lastSentAt?: number) =>
  refuseWriting(state, who, { type, now: 10_000, lastSentAt });

test("in a broadcast room members react and owners and admins write", () => {
  const broadcast = room({ write: "admin" });
  const refused = writing(broadcast, member("member"));
  assert.deepEqual([refused?.code, refused?.details?.reason], ["forbidden", "write"]);
  for (const [role, type] of [
    ["admin", "text"],
    ["owner", "text"],
    ["member", "reaction"],
    ["member", "recall"],
  ] as const)
    assert.equal(writing(broadcast, member(role), type), undefined, `${role} ${type}`);
});

test("a muted member writes nothing until its time is over, and recalls what it wrote", () => {
  const until = writing(undefined, member("member", { mutedUntil: 12_000 }));
  assert.deepEqual([until?.code, until?.details], ["forbidden", { reason: "muted", retryAfterMs: 2_000 }]);
  assert.equal(writing(undefined, member("member", { mutedUntil: null }), "reaction")?.details?.reason, "muted");
  assert.equal(writing(undefined, member("member", { mutedUntil: 10_000 })), undefined);
  assert.equal(writing(undefined, member("member", { mutedUntil: null }), "recall"), undefined);
});

test("slow mode makes a member wait for its next message, and says how long", () => {
  const slow = room({ slowModeSeconds: 5 });
  const early = writing(slow, member("member"), "text", 7_000);
  assert.deepEqual([early?.code, early?.details], ["rate_limited", { reason: "slow_mode", retryAfterMs: 2_000 }]);
  assert.equal(writing(slow, member("member"), "text", 5_000), undefined);
  assert.equal(writing(slow, member("member")), undefined);
  assert.equal(writing(slow, member("admin"), "text", 7_000), undefined);
  assert.equal(writing(slow, member("member"), "edit", 7_000), undefined);
});

test("nothing is written in an archived room", () => {
  const archived = room({}, { archived: true });
  for (const type of ["text", "reaction", "recall"])
    assert.equal(writing(archived, member("owner"), type)?.details?.reason, "archived");
});
