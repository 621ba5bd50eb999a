// What nobody is shown any more, although it is not swept yet: messages whose time is over.
import type { ReadEntry } from "@parley/store";
import type { HistoryStore } from "../keep/store.ts";
import { isOver, keptExpiry, timerKey } from "../keep/timers.ts";

const noBody = new Uint8Array(0);

/** The entries of one conversation, those whose time is over without what they said. A look-up only where it may have begun by a reading. */
export async function hideExpired<Entry extends ReadEntry>(
  { timers }: Pick<HistoryStore, "timers">,
  entries: readonly Entry[],
): Promise<readonly Entry[]> {
  const now = Date.now();
  const read = entries.filter((entry) => keptExpiry(entry).expiresAfterRead !== undefined);
  const found = read.length === 0 ? undefined : await timers.getMany([...new Set(read.map(keyOf))]);
  if (!found && !entries.some((entry) => isOver(entry, now))) return entries;
  return entries.map((entry) => {
    const at = found?.get(keyOf(entry))?.doc.at ?? Number.POSITIVE_INFINITY;
    return at <= now || isOver(entry, now) ? { ...entry, body: noBody } : entry;
  });
}

// An edit goes with its message.
function keyOf({ conv, seq, type, event }: ReadEntry): string {
  return timerKey({ conv, seq: type === "edit" ? ((event?.seq as number | undefined) ?? seq) : seq });
}
