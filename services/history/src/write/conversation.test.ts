import assert from "node:assert/strict";
import { test } from "node:test";
import { newMember } from "../fold/members.ts";
import type { HistoryStore } from "../keep/store.ts";
import { type Conversation, createShelf, newConversation } from "./conversation.ts";

function conversationOf(conv: string, size: number): Conversation {
  const members = new Map(Array.from({ length: size }, (_, n) => [`u${n}`, newMember(conv, `u${n}`)]));
  return { ...newConversation(conv), members };
}

function shelfOf(options: { max: number; members: number; pinned?: string }) {
  // What is kept is never read.
  const store = {} as HistoryStore;
  const isPinned = ({ conv }: Conversation) => conv === options.pinned;
  const reading = { isPinned, pendingIn: () => [] as never, direct: "anyone" } as const;
  return createShelf(store, options.max, reading, { members: options.members });
}

const kept = (shelf: ReturnType<typeof shelfOf>, convs: string[]) => convs.filter((conv) => shelf.get(conv));

test("the least recently used conversations go first when there are too many", () => {
  const shelf = shelfOf({ max: 2, members: 1_000 });
  for (const conv of ["a", "b"]) shelf.keep(conversationOf(conv, 2));
  shelf.get("a");
  shelf.keep(conversationOf("c", 2));
  assert.deepEqual(kept(shelf, ["a", "b", "c"]), ["a", "c"]);
});

test("large rooms count by their members, and the one just used stays however large it is", () => {
  const shelf = shelfOf({ max: 100, members: 100 });
  for (const conv of ["a", "b", "c"]) shelf.keep(conversationOf(conv, 40));
  assert.deepEqual(kept(shelf, ["a", "b", "c"]), ["b", "c"]);
  shelf.keep(conversationOf("b", 60));
  assert.deepEqual(kept(shelf, ["b", "c"]), ["b", "c"]);
  shelf.keep(conversationOf("huge", 500));
  assert.deepEqual(kept(shelf, ["b", "c", "huge"]), ["huge"]);
});

test("what the store does not have yet is never put away", () => {
  const shelf = shelfOf({ max: 1, members: 100, pinned: "a" });
  for (const conv of ["a", "b", "c"]) shelf.keep(conversationOf(conv, 40));
  assert.ok(shelf.get("a"));
});
