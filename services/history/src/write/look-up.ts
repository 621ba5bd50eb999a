// All that sequencing needs to know of a batch, in as few look-ups as it takes.
import { type AppendItem, pointingTypes } from "@parley/protocol";
import type { EntryKey, LogEntry } from "@parley/store";
import type { HistoryStore } from "../keep/store.ts";
import type { AppendJob } from "./batch.ts";
import type { Conversation, Shelf } from "./conversation.ts";
import { aboutSeq } from "./decide-about.ts";
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
  const [found, abouts] = await Promise.all([
    store.log.find([...items, ...unknownPrevs.map(prevKey)]),
    aboutEntries(store, items),
  ]);
  const prevFound = new Map(unknownPrevs.map((item, index) => [item, found[items.length + index] !== undefined]));
  return items.map((item, index) => ({
    item,
    conversation: conversations[index] as Conversation,
    stored: found[index],
    prevStored: prevFound.get(item) ?? true,
    refusal: refusals[index],
    about: abouts.get(item),
  }));
}

async function conversationsOf(shelf: Shelf, items: readonly AppendItem[]): Promise<Conversation[]> {
  const known = items.map(({ conv }) => shelf.get(conv));
  if (known.every((conversation) => conversation !== undefined)) return known;
  return Promise.all(items.map(({ conv }) => shelf.load(conv)));
}

// What edits, recalls and reactions are about: few, so each is read by itself.
async function aboutEntries(
  { log }: HistoryStore,
  items: readonly AppendItem[],
): Promise<ReadonlyMap<AppendItem, LogEntry>> {
  const found = new Map<AppendItem, LogEntry>();
  const look = async (item: AppendItem) => {
    const seq = aboutSeq(item) ?? 0;
    const [entry] = seq > 0 ? await log.range(item.conv, { after: seq - 1, before: seq + 1, limit: 1 }) : [];
    if (entry) found.set(item, entry);
  };
  const pointing = items.filter(({ type }) => pointingTypes.has(type));
  if (pointing.length > 0) await Promise.all(pointing.map(look));
  return found;
}

function prevKey({ conv, from, device, prev }: AppendItem): EntryKey {
  return { conv, from, device, id: prev as string };
}
