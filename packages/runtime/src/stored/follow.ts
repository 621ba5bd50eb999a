// Follows what history has stored: references from JetStream, their entries from history, each handed over at least once.
import type { StoredEntry, StoredReference } from "@parley/protocol";
import type { NatsConnection } from "../connections/nats.ts";
import { readStored } from "./read.ts";
import { type FollowedReference, type FollowReferencesOptions, followReferences } from "./references.ts";

export interface FollowStoredOptions extends Omit<FollowReferencesOptions, "take"> {
  /** Which of the references are read; all unless said. */
  wants?(reference: StoredReference): boolean;
  /** Takes entries in the order of their partition; what it rejects with means what it means to `followReferences`. */
  take(entries: StoredEntry[]): Promise<unknown>;
}

/** Follows until closed. Close finishes what is being taken and gives back the rest, for another replica to take at once. */
export function followStored({ wants = () => true, take, ...options }: FollowStoredOptions): {
  close(): Promise<void>;
} {
  return followReferences({
    ...options,
    async take(found) {
      const entries = await readWanted(options.nats, found, wants);
      if (entries.length > 0) await take(entries);
    },
  });
}

/** Each partition's in one go. */
async function readWanted(
  nats: NatsConnection,
  found: readonly FollowedReference[],
  wants: (reference: StoredReference) => boolean,
): Promise<StoredEntry[]> {
  const positions = new Map<number, number[]>();
  for (const { q, reference } of found) {
    if (!wants(reference)) continue;
    const ofPartition = positions.get(q);
    if (ofPartition) ofPartition.push(reference.pos);
    else positions.set(q, [reference.pos]);
  }
  const read = await Promise.all([...positions].map(([q, wanted]) => readStored(nats, q, wanted)));
  return read.flat();
}
