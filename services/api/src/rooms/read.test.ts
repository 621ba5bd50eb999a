import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type Caller } from "@parley/protocol";
import { getRoom } from "./read.ts";
import { findRoom, type RoomParts } from "./room.ts";

const bob: Caller = { uid: "bob", via: "http" };
const made = {
  ...{ id: "tea", name: "Tea", createdBy: "ann", createdAt: 1, settings: {}, state: "creating" as const },
  ...{ members: ["bob"], device: "api", madeBy: "o" },
};
const view = { conv: "room/tea", name: "Tea", members: 2, member: { role: "member", joinSeq: 1 } };

/** A room that is being made; `rooms`: what history has of it. */
const making = (rooms: readonly object[]) =>
  ({
    store: { rooms: { get: async () => ({ doc: made }) } },
    history: { rooms: async () => ({ rooms }) },
  }) as unknown as RoomParts;

test("a member who is told of a room while the rest of it is being made may look at it", async () => {
  const room = await getRoom(making([view]), "tea", bob);
  assert.ok(!(room instanceof AppError));
  assert.deepEqual([room.id, room.role], ["tea", "member"]);
});

test("a room of which history has nothing yet is not there", async () => {
  const room = await getRoom(making([]), "tea", bob);
  assert.ok(room instanceof AppError && room.code === "not_found");
});

test("who would change a room while it is being made is told to ask again", async () => {
  const room = await findRoom(making([view]), "tea");
  assert.ok(room instanceof AppError && room.code === "unavailable");
});
