// What a change is decided on besides the conversation: looked up between two commits, so that it is as of the entry before.
import type { ChangeRequest } from "@parley/protocol";
import type { HistoryStore } from "../keep/store.ts";
import type { Room } from "../rooms/room.ts";
import type { Conversation } from "./conversation.ts";
import { pinSight } from "./look-up.ts";
import { blockersOf } from "./refused.ts";

export async function withSight(
  store: HistoryStore,
  conversation: Conversation,
  { event }: ChangeRequest,
): Promise<Room> {
  if (event.event === "pin" || event.event === "unpin")
    return { ...conversation, pinSight: await pinSight(store, conversation, event) };
  const brings = event.event === "invite" || event.event === "create";
  // Who blocks is told before the block is answered, and that waits for what is in hand here: `takeDoors`.
  return brings ? { ...conversation, blockers: await blockersOf(store, event.by, event.uids) } : conversation;
}
