// Entries become what is indexed: an edit together with the message that it changes, which keeps all but its `data`.
import type { StoredEntry } from "@parley/protocol";
import { type NatsConnection, readEntriesOf } from "@parley/runtime";
import type { IndexedMessage } from "@parley/store";
import { editedSeqOf, indexedOf } from "./indexed.ts";

/** In the order of the entries. Throws `unavailable` when no history answers. */
export async function indexedEntries(nats: NatsConnection, entries: readonly StoredEntry[]): Promise<IndexedMessage[]> {
  const known = new Map(entries.map((entry) => [placeOf(entry), entry]));
  const missing = new Map<string, { conv: string; seq: number }>();
  for (const entry of entries) {
    const place = editedPlace(entry);
    if (place && !known.has(placeOf(place))) missing.set(placeOf(place), place);
  }
  const read = missing.size === 0 ? [] : await readEntriesOf(nats, [...missing.values()]);
  for (const entry of read) known.set(placeOf(entry), entry);
  return entries.flatMap((entry) => {
    const place = editedPlace(entry);
    return indexedOf(entry, place && known.get(placeOf(place))) ?? [];
  });
}

function editedPlace(entry: StoredEntry): { conv: string; seq: number } | undefined {
  const seq = editedSeqOf(entry);
  return seq === undefined ? undefined : { conv: entry.conv, seq };
}

const placeOf = ({ conv, seq }: { conv: string; seq: number }) => `${conv} ${seq}`;
