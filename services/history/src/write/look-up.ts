// All that sequencing needs to know of a batch, in as few look-ups as it takes.
import type { AppendItem } from "@parley/protocol";
import type { EntryKey } from "@parley/store";
import type { HistoryStore } from "../keep/store.ts";
import type { AppendJob } from "./batch.ts";
import type { Conversation, Shelf } from "./conversation.ts";
import type { Candidate } from "./sequence.ts";

/** One candidate an item, in order: its conversation, what is stored under its key, whether `prev` is stored. */
export async function lookUp(
  { store, shelf }: { store: HistoryStore; shelf: Shelf },
  batch: readonly AppendJob[],
): Promise<Candidate[]> {
  const items = batch.flatMap((job) => job.items);
  const refusals = batch.flatMap((job) => job.refusals ?? job.items.map(() => undefined));
  const conversations = await conversationsOf(shelf, items);
  const unknownPrevs = items.filter(
    (item, index) => item.prev !== undefined && conversations[index]?.lastIds.get(item.device) !== item.prev,
  );
  const found = await store.log.find([...items, ...unknownPrevs.map(prevKey)]);
  const prevFound = new Map(unknownPrevs.map((item, index) => [item, found[items.length + index] !== undefined]));
  return items.map((item, index) => ({
    item,
    conversation: conversations[index] as Conversation,
    stored: found[index],
    prevStored: prevFound.get(item) ?? true,
    refusal: refusals[index],
  }));
}

async function conversationsOf(shelf: Shelf, items: readonly AppendItem[]): Promise<Conversation[]> {
  const known = items.map(({ conv }) => shelf.get(conv));
  if (known.every((conversation) => conversation !== undefined)) return known;
  return Promise.all(items.map(({ conv }) => shelf.load(conv)));
}

function prevKey({ conv, from, device, prev }: AppendItem): EntryKey {
  return { conv, from, device, id: prev as string };
}
