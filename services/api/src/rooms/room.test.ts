import assert from "node:assert/strict";
import { test } from "node:test";
import { roomOf } from "./room.ts";

const made = {
  ...{ id: "tea", name: "Tea", createdBy: "alice", createdAt: 1, settings: {} },
  ...{ state: "ready" as const, members: [], device: "api", madeBy: "o" },
};

test("an avatar that is no address, kept by a version before, is not answered", () => {
  const shown = (avatar: string) => {
    const room = { avatar, settings: {} };
    return [
      roomOf({ ...made, avatar }, { conv: "room/tea", name: "Tea" }).avatar,
      roomOf(made, { conv: "room/tea", name: "Tea", room }).avatar,
    ];
  };
  for (const wrong of ["javascript:alert(1)", "//host/x", "/\\host/x"]) assert.deepEqual(shown(wrong), ["", ""]);
  assert.deepEqual(shown("/a"), ["/a", "/a"]);
  assert.deepEqual(shown("https://a/b.png"), ["https://a/b.png", "https://a/b.png"]);
});
