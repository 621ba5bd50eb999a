// What was said in a room that was deleted, and what it was called, leaves the store and the search index: in the background, step
// by step, by whoever holds its partition. What a process leaves undone the next holder goes on with.
import { limits, type MembershipEvent, type RemoveRequest, subjects } from "@parley/protocol";
import { conversationPartition } from "@parley/protocol/partition";
import { type Logger, type NatsConnection, type Pass, requestJson } from "@parley/runtime";
import type { LogEntry } from "@parley/store";
import { membershipOf } from "./fold/fold-entry.ts";
import type { EndedRoom, HistoryStore } from "./keep/store.ts";
import type { Partitions } from "./write/partitions.ts";

export interface ErasingParts {
  store: HistoryStore;
  partitions: Pick<Partitions, "writer">;
  nats: NatsConnection;
  log: Logger;
  /** where a test may end the process */
  pass: Pass;
}

const everyMs = 5_000;
const roomsAtOnce = 100;
const stepEntries = 200;
/** As many as search takes at once. That no copy is on its disk either is seen to when an account is erased. */
const seqsAtOnce = 10_000;
const searchTimeoutMs = 60_000;

/** Until close, which waits for the step in hand. */
export function startErasingRooms(parts: ErasingParts): { close(): Promise<void> } {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  const isClosed = () => closed;
  const turn = async () => {
    try {
      await eraseAll(parts, isClosed);
    } catch (error) {
      notErased(parts, error);
    }
    if (!closed) timer = setTimeout(start, everyMs);
  };
  let running: Promise<void> = Promise.resolve();
  const start = () => {
    running = turn();
  };
  timer = setTimeout(start, everyMs);
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await running;
    },
  };
}

function notErased({ log }: ErasingParts, error: unknown): void {
  log.warn({ event: "rooms_not_erased", reason: String(error) });
}

// All of them: a note whose end never came stays, and must not stand before others.
async function eraseAll(parts: ErasingParts, isClosed: () => boolean): Promise<void> {
  let page: string | null | undefined;
  do {
    const found = await parts.store.ended.find({ limit: roomsAtOnce, ...(page ? { page } : {}) });
    for (const { doc } of found.items)
      if (!isClosed() && parts.partitions.writer(conversationPartition(doc.conv)))
        // While search is away the bodies of other rooms leave the store all the same.
        await erase(parts, doc, isClosed).catch((error: unknown) => notErased(parts, error));
    page = found.next;
  } while (page && !isClosed());
}

async function erase({ store, nats, pass }: ErasingParts, noted: EndedRoom, isClosed: () => boolean): Promise<void> {
  const { conv } = noted;
  const info = (await store.infos.get(conv))?.doc;
  // It is noted before the commit, so its end may still come, or never have come.
  if (!info?.room?.deleted) return;
  const last = info.nameSeq - 1;
  let done = noted;
  const note = async (more: Partial<EndedRoom>) => {
    done = { ...done, ...more };
    await store.ended.put([{ key: conv, doc: done }]);
  };
  while (done.emptiedTo < last) {
    if (isClosed()) return;
    const emptiedTo = await emptyNext(store, conv, { after: done.emptiedTo, last });
    pass("before-room-emptied");
    await note({ emptiedTo });
  }
  await removeAnnotations(store, conv);
  while (done.unfoundTo < last) {
    if (isClosed()) return;
    const to = Math.min(last, done.unfoundTo + seqsAtOnce);
    const seqs = Array.from({ length: to - done.unfoundTo }, (_, at) => done.unfoundTo + 1 + at);
    const request: RemoveRequest = { conv, seqs, later: true };
    await requestJson(nats, subjects.removeFromSearch, request, { timeoutMs: searchTimeoutMs });
    pass("before-room-forgotten");
    await note({ unfoundTo: to });
  }
  await store.ended.remove(conv);
}

/** Answers up to where nothing is left of what was said. */
async function emptyNext(
  { log }: Pick<HistoryStore, "log">,
  conv: string,
  { after, last }: { after: number; last: number },
): Promise<number> {
  const query = { after, before: last + 1, limit: stepEntries, maxBytes: limits.requestBytes };
  const entries = await log.range(conv, query);
  await Promise.all(entries.map((entry) => log.blank(conv, entry.seq, eventLeft(entry))));
  return entries.at(-1)?.seq ?? last;
}

/** Who came and went stays, as the log is folded again from any mark on; and which messages were recalled. */
function eventLeft(entry: LogEntry): LogEntry["event"] {
  const event = membershipOf(entry);
  if (!event) return entry.type === "recall" ? entry.event : null;
  const { name: _name, room: _room, pins: _pins, ...left } = event satisfies MembershipEvent;
  return { ...left };
}

// Reactions, votes and what else was said about messages. Nothing makes them again: of an entry without event nothing is folded.
async function removeAnnotations({ annotations }: Pick<HistoryStore, "annotations">, conv: string): Promise<void> {
  for (;;) {
    const { items } = await annotations.find({ index: "by_seq", equals: [conv], limit: stepEntries });
    if (items.length === 0) return;
    await Promise.all(items.map(({ key }) => annotations.remove(key)));
  }
}
