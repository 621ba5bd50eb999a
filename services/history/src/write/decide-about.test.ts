import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import { newMember } from "../fold/members.ts";
import { noAnnotations, type Voted } from "../keep/annotations.ts";
import { refuseAbout } from "./decide-about.ts";

test("a poll takes so many choices of all; who has voted may change its vote all the same", () => {
  const votes = Array.from({ length: limits.pollChoices }, (_, n): Voted => [`u${n}`, [0], n + 2]);
  const about = { seq: 1, from: "u0", type: "poll" } as LogEntry;
  const code = (from: string, vote: number[]) => {
    const sender = { ...newMember("room/r", from), stays: [[1, null] as [number, null]] };
    const pointing = { seq: 1, reaction: undefined, vote };
    const poll = { options: 3, multiple: true, anonymous: false };
    const annotations = { ...noAnnotations("room/r", 1), votes };
    const item = { conv: "room/r", from, device: from, id: "x", type: "vote", body: new Uint8Array() };
    const refused = refuseAbout(item, { pointing, about, poll, annotations, sender, room: undefined });
    return refused && "error" in refused ? refused.error.code : undefined;
  };
  assert.equal(code("one more", [1]), "conflict");
  assert.equal(code("u7", [1]), undefined);
  assert.equal(code("u7", [1, 2]), "conflict");
  assert.equal(code("u7", []), undefined);
});
