// All that sequencing needs to know of a batch, in as few look-ups as it takes.
import { type AppendItem, type AppendOutcome, type MembershipEvent, readPoll } from "@parley/protocol";
import type { EntryKey, LogEntry } from "@parley/store";
import { annotationsKey } from "../keep/annotations.ts";
import { entryAt } from "../keep/entry-at.ts";
import type { HistoryStore } from "../keep/store.ts";
import { contentOf } from "../keep/stored-body.ts";
import { expiryOrigin } from "../keep/timers.ts";
import type { PinSight } from "../rooms/room.ts";
import type { AppendJob } from "./batch.ts";
import type { Conversation, Shelf } from "./conversation.ts";
import { type Pointing, pointingOf } from "./decide-about.ts";
import { type Footing, type FootingParts, takeFooting } from "./footing.ts";
import { noSuchUser } from "./outcome.ts";
import { accountKey } from "./refused.ts";
import type { Candidate } from "./sequence.ts";

/** One candidate an item, in order: its conversation, what is stored under its key, whether `prev` is stored. */
export async function lookUp(
  parts: FootingParts & { store: HistoryStore },
  batch: readonly AppendJob[],
): Promise<{ candidates: Candidate[]; footing: Footing }> {
  const { store, shelf, silenced } = parts;
  const items = batch.flatMap((job) => job.items);
  const refusals = batch.flatMap((job) => job.refusals ?? job.items.map(() => undefined));
  const conversations = await conversationsOf(shelf, items);
  const unknownPrevs = items.filter(
    (item, index) => item.prev !== undefined && conversations[index]?.lastIds.get(item.device) !== item.prev,
  );
  const [found, abouts, originals, gone] = await Promise.all([
    store.log.find([...items, ...unknownPrevs.map(prevKey)]),
    aboutEntries(store, items),
    originalsOf(store, items),
    goneAmong(store, items),
  ]);
  const prevFound = new Map(unknownPrevs.map((item, index) => [item, found[items.length + index] !== undefined]));
  // Last, as it holds for a moment only.
  const footing = await takeFooting(parts, items);
  const candidates = items.map((item, index) => ({
    item,
    conversation: conversations[index] as Conversation,
    stored: found[index],
    prevStored: prevFound.get(item) ?? true,
    refusal:
      item.origin === expiryOrigin ? undefined : (silenced.refuse(item.from) ?? refusals[index] ?? gone.get(item)),
    original: originals.get(item),
    ...abouts.get(item),
  }));
  return { candidates, footing };
}

// Few are copies, so each is read by itself.
async function originalsOf(
  store: HistoryStore,
  items: readonly AppendItem[],
): Promise<ReadonlyMap<AppendItem, LogEntry | undefined>> {
  const copies = items.flatMap((item) => (item.copyOf ? [[item, item.copyOf] as const] : []));
  return new Map(
    await Promise.all(copies.map(async ([item, { conv, seq }]) => [item, await entryAt(store, conv, seq)] as const)),
  );
}

// Who is erased is a member nowhere, and a copy needs no member.
async function goneAmong(
  { doors }: Pick<HistoryStore, "doors">,
  items: readonly AppendItem[],
): Promise<ReadonlyMap<AppendItem, AppendOutcome>> {
  const copies = items.filter(({ via }) => via !== undefined);
  if (copies.length === 0) return new Map();
  const kept = await doors.getMany([...new Set(copies.map(({ from }) => accountKey(from)))]);
  const gone = copies.filter(({ from }) => kept.get(accountKey(from))?.doc.account === "gone");
  return new Map(gone.map((item) => [item, noSuchUser]));
}

async function conversationsOf(shelf: Shelf, items: readonly AppendItem[]): Promise<Conversation[]> {
  const known = items.map(({ conv }) => shelf.get(conv));
  if (known.every((conversation) => conversation !== undefined)) return known;
  return Promise.all(items.map(({ conv }) => shelf.load(conv)));
}

type About = Pick<Required<Candidate>, "pointing" | "about" | "poll" | "annotations">;

// What edits, recalls, reactions, votes and messages of threads are about: few, so each is read by itself.
async function aboutEntries(
  store: HistoryStore,
  items: readonly AppendItem[],
): Promise<ReadonlyMap<AppendItem, Partial<About>>> {
  const found = new Map<AppendItem, Partial<About>>();
  const look = async (item: AppendItem, seq: number, pointing?: Pointing) => {
    found.set(item, { ...(pointing && { pointing }), ...(await aboutEntry(store, item.conv, seq)) });
  };
  await Promise.all(
    items.flatMap((item) => {
      const pointing = pointingOf(item);
      if (pointing) return [look(item, pointing.seq, pointing)];
      return item.thread === undefined ? [] : [look(item, item.thread)];
    }),
  );
  return found;
}

// Whatever was said about it before is in the store: nothing is looked up before that.
async function aboutEntry(store: HistoryStore, conv: string, seq: number): Promise<Omit<About, "pointing">> {
  if (seq === 0) return { about: undefined, poll: undefined, annotations: undefined };
  const [about, known] = await Promise.all([
    entryAt(store, conv, seq),
    store.annotations.get(annotationsKey(conv, seq)),
  ]);
  return { about, poll: about?.type === "poll" ? readPoll(contentOf(about)) : undefined, annotations: known?.doc };
}

/** What a pin is decided on, besides the conversation. */
export async function pinSight(
  store: Pick<HistoryStore, "log" | "annotations">,
  { conv, pins }: Conversation,
  { seq = 0 }: MembershipEvent,
): Promise<PinSight> {
  const seqs = [seq, ...(pins?.list ?? []).map((pin) => pin.seq)];
  const [about, known] = await Promise.all([
    entryAt(store, conv, seq),
    store.annotations.getMany(seqs.map((one) => annotationsKey(conv, one))),
  ]);
  const recalled = [...known.values()].filter(({ doc }) => doc.recall).map(({ doc }) => doc.seq);
  return { about, recalled: new Set(recalled) };
}

function prevKey({ conv, from, device, prev }: AppendItem): EntryKey {
  return { conv, from, device, id: prev as string };
}
