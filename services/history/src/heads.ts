// The ends of many conversations at once: from memory where a conversation is there, else from the log in one look-up.
import type { LogEntry } from "@parley/store";
import type { Reading } from "./access.ts";

export type Heads = Map<string, Pick<LogEntry, "seq" | "ord" | "ts">>;

/** The ends of these conversations; one without a message is missing. */
export async function headsOf({ store, shelf }: Reading, convs: readonly string[]): Promise<Heads> {
  const heads: Heads = new Map();
  const unknown: string[] = [];
  for (const conv of convs) {
    const known = shelf.get(conv);
    if (known) heads.set(conv, { seq: known.lastSeq, ord: known.lastOrd, ts: known.lastTs });
    else unknown.push(conv);
  }
  if (unknown.length > 0) for (const [conv, entry] of await store.log.heads(unknown)) heads.set(conv, entry);
  return heads;
}
