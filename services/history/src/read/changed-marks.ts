// Which conversations' marks changed since a device last asked: its user's own, and those of the others whose receipts it is told.
import { namedMembers, parseConv } from "@parley/protocol";
import { isPresent } from "../fold/members.ts";
import { type HistoryStore, type Member, memberKey } from "../keep/store.ts";
import { apartFrom, type DirectMessages } from "../write/refused.ts";

/**
 * How far a token lies before the moment it was made at: what was being written then, and what a replica whose clock is behind
 * wrote since, is answered again rather than never.
 */
export const overlapMs = 5 * 60_000;

/** The conversations of these members, all one user's, whose marks changed at `since` or later. */
export async function changedSince(
  { store, direct }: { store: Pick<HistoryStore, "members" | "infos" | "doors">; direct: DirectMessages },
  views: readonly Member[],
  since: number,
): Promise<Set<string>> {
  const { members, infos } = store;
  const isChanged = ({ changedAt = 0 }: { changedAt?: number }) => changedAt >= since;
  const changed = new Set(views.filter(isChanged).map(({ conv }) => conv));
  const rest = views.filter(({ conv }) => !changed.has(conv));
  const [others, rooms] = await Promise.all([
    members.getMany(rest.flatMap(othersOf)),
    // Who has left a room is told nothing of what others read there since.
    infos.getMany(rest.filter(isPresent).flatMap(({ conv }) => (conv.startsWith("room/") ? [conv] : []))),
  ]);
  const moved = [...others.values()].map(({ doc }) => doc).filter(isChanged);
  const uid = views[0]?.uid ?? "";
  const apart = await apartFrom(store, uid, { others: moved.map((other) => other.uid), direct });
  for (const other of moved) if (!apart.has(other.uid)) changed.add(other.conv);
  for (const { doc } of rooms.values()) if (isChanged(doc)) changed.add(doc.conv);
  return changed;
}

function othersOf({ conv, uid }: Member): string[] {
  const parsed = parseConv(conv);
  const named = (parsed && namedMembers(parsed)) ?? [];
  return named.filter((other) => other !== uid).map((other) => memberKey(conv, other));
}
