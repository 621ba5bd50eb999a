// The time of messages that disappear a while after their first reading, by anybody but their sender.
import type { HistoryStore } from "../keep/store.ts";
import type { Timer } from "../keep/timers.ts";

const pageTimers = 500;

/** Resolves when each message up to `upTo` that nobody had read has its time. */
export async function startTimers(
  { timers }: Pick<HistoryStore, "timers">,
  { conv, uid, upTo }: { conv: string; uid: string; upTo: number },
  now: number = Date.now(),
): Promise<void> {
  for (let page: string | null | undefined; page !== null; ) {
    const query = { index: "unread", equals: [conv], to: upTo, limit: pageTimers };
    const found = await timers.find(page === undefined ? query : { ...query, page });
    const read = found.items.filter(({ doc }) => doc.from !== uid);
    // Of two first readings one is the first.
    await timers.writeMany(read.map(({ key, version, doc }) => ({ key, ifVersion: version, doc: begun(doc, now) })));
    page = found.next;
  }
}

function begun({ waits: _, ...timer }: Timer, now: number): Timer {
  return { ...timer, at: now + (timer.afterRead ?? 0) * 1_000 };
}
