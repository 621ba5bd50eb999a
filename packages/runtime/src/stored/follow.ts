// Follows what history has stored: references from JetStream, their entries from history, each handed over at least once.
import type { StoredEntry, StoredReference } from "@parley/protocol";
import { readFollowed } from "./read.ts";
import { type FollowedReference, type FollowReferencesOptions, followReferences } from "./references.ts";
import { takeInGroups } from "./some-not-taken.ts";

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
      const wanted = found.filter(({ reference }) => wants(reference));
      // Each partition's by itself, as another replica of history may have it.
      const partitions = [...Map.groupBy(wanted, ({ q }) => q).values()];
      const read = (some: FollowedReference[]) => readFollowed(options.nats, some);
      await takeInGroups(partitions, read, async (all) => {
        const entries = all.flat();
        if (entries.length > 0) await take(entries);
      });
    },
  });
}
