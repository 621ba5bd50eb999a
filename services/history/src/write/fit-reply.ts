// What one reply to an append may carry: the kept messages of duplicates may be larger together than what was sent again.
import { type Appended, type AppendOutcome, type GroupOutcome, limits } from "@parley/protocol";

/**
 * Kept messages go along as long as there is room; of the others the reply says where they are. No group fails over it:
 * it is committed, and would come again and again.
 */
export function fitReply(
  groups: readonly GroupOutcome[],
  bytes: number = limits.requestBytes - limits.appendHeaderBytes,
): GroupOutcome[] {
  let room = bytes;
  const fit = (outcome: AppendOutcome): AppendOutcome => {
    if ("error" in outcome || !outcome.stored) return outcome;
    const { stored, storedAt, ...rest } = outcome;
    if (stored.byteLength > room && storedAt !== undefined) return { ...rest, storedAt };
    room -= stored.byteLength;
    return { ...rest, stored } satisfies Appended;
  };
  return groups.map((group) => ("failed" in group ? group : { q: group.q, outcomes: group.outcomes.map(fit) }));
}
