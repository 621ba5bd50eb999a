// What the holder of a partition works with, and a conversation as it knows it.
import { conversationPartition } from "@parley/protocol/partition";
import type { Pass } from "@parley/runtime";
import type { HistoryStore } from "../keep/store.ts";
import type { Projection } from "../project/projection.ts";
import type { Blocks } from "./blocks.ts";
import type { Conversation, Shelf } from "./conversation.ts";
import type { Partitions } from "./partitions.ts";
import type { TellsReadOn } from "./read-on.ts";
import type { Receivers } from "./receivers.ts";
import type { Silenced } from "./silenced.ts";
import { notMine } from "./writer.ts";

export interface Holding {
  store: HistoryStore;
  shelf: Shelf;
  partitions: Partitions;
  projection: Projection;
  silenced: Silenced;
  blocks: Blocks;
  receivers: Receivers;
  readOn: TellsReadOn;
  /** Marks a point where a test can end the process. */
  pass: Pass;
}

/** A conversation that is known to be as the log has it. Throws `unavailable` (not_mine) when this replica can't know. */
export async function currentConversation({ store, shelf, partitions }: Holding, conv: string): Promise<Conversation> {
  const q = conversationPartition(conv);
  const writer = partitions.writer(q);
  if (!writer) throw notMine();
  const { pos } = await store.log.last(q);
  // A commit may be under way: the log is ahead for a moment then, and what it has is this writer's all the same.
  for (let attempt = 0; attempt < 50; attempt++) {
    if (writer.pos >= pos) {
      const conversation = await shelf.load(conv);
      return shelf.get(conv) ?? conversation;
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw notMine();
}
