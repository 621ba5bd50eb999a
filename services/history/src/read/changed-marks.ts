// Which conversations' marks changed since a device last asked: its user's own, and those of the others whose receipts it is told.
import { namedMembers, parseConv } from "@parley/protocol";
import { type HistoryStore, type Member, memberKey } from "../keep/store.ts";

/**
 * How far a token lies before the moment it was made at: what was being written then, and what a replica whose clock is behind
 * wrote since, is answered again rather than never.
 */
export const overlapMs = 5 * 60_000;

/** The conversations of these members whose marks changed at `since` or later. */
export async function changedSince(
  { members, infos }: Pick<HistoryStore, "members" | "infos">,
  views: readonly Member[],
  since: number,
): Promise<Set<string>> {
  const isChanged = ({ changedAt = 0 }: { changedAt?: number }) => changedAt >= since;
  const changed = new Set(views.filter(isChanged).map(({ conv }) => conv));
  const rest = views.filter(({ conv }) => !changed.has(conv));
  const [others, rooms] = await Promise.all([
    members.getMany(rest.flatMap(othersOf)),
    infos.getMany(rest.map(({ conv }) => conv).filter((conv) => conv.startsWith("room/"))),
  ]);
  for (const { doc } of [...others.values(), ...rooms.values()]) if (isChanged(doc)) changed.add(doc.conv);
  return changed;
}

function othersOf({ conv, uid }: Member): string[] {
  const parsed = parseConv(conv);
  const named = (parsed && namedMembers(parsed)) ?? [];
  return named.filter((other) => other !== uid).map((other) => memberKey(conv, other));
}
