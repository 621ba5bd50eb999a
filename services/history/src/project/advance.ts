// Documents of history only move forward: of two states of one the later is known field by field, whoever wrote it when.
import type { ConversationInfo, Mark, Member, Recalled } from "../keep/store.ts";

/**
 * Takes over what `other` knows and `member` does not. Who is in the conversation and as what follows the log, so the
 * state of the later event counts whole; each mark counts by itself. True if anything moved.
 */
export function advance(member: Member, other: Member): boolean {
  if (member === other) return false;
  const moved = [
    takeMembership(member, other),
    take(member, other, "sentSeq", "sentOrd"),
    take(member, other, "readSeq", "readOrd"),
    take(member, other, "deletedTo", "deletedOrd"),
    take(member, other, "deliveredSeq"),
    takeHidden(member, other),
    takeMentions(member, other),
    takeSettings(member, other),
    takeChangedAt(member, other),
  ];
  return moved.includes(true);
}

/** The later of two states of a member; `stored` itself when `ours` adds nothing. */
export function laterMember(stored: Member, ours: Member): Member {
  const later = copyMember(stored);
  return advance(later, ours) ? later : stored;
}

/** The later name and state, the later size, the later pins, the later change and all recalls, each by itself. */
export function laterInfo(stored: ConversationInfo, ours: ConversationInfo): ConversationInfo {
  const isNamed = ours.nameSeq > (stored.nameSeq ?? 0);
  const isChanged = (ours.changedAt ?? 0) > (stored.changedAt ?? 0);
  const isCounted = (ours.size?.seq ?? 0) > (stored.size?.seq ?? 0);
  const isPinned = (ours.pins?.seq ?? 0) > (stored.pins?.seq ?? 0);
  const lists = laterLists(stored, ours);
  const { isTimed, timed } = laterExpiry(stored, ours);
  if (![isNamed, isChanged, isCounted, isPinned, isTimed].includes(true) && lists.areSame) return stored;
  const { name, nameSeq, room } = isNamed ? ours : stored;
  const { changedAt } = isChanged ? ours : stored;
  const { size } = isCounted ? ours : stored;
  const { pins } = isPinned ? ours : stored;
  return {
    conv: stored.conv,
    name,
    nameSeq,
    ...(room === undefined ? {} : { room }),
    ...(size === undefined ? {} : { size }),
    ...(changedAt === undefined ? {} : { changedAt }),
    ...(pins === undefined ? {} : { pins }),
    ...lists.merged,
    ...timed,
  };
}

function laterExpiry(stored: ConversationInfo, ours: ConversationInfo) {
  const isLater = (ours.expiry?.seq ?? 0) > (stored.expiry?.seq ?? 0);
  const isFirst = ours.hasUnreadTimers === true && !stored.hasUnreadTimers;
  const { expiry } = isLater ? ours : stored;
  const { hasUnreadTimers } = isFirst ? ours : stored;
  return {
    isTimed: isLater || isFirst,
    timed: { ...(expiry && { expiry }), ...(hasUnreadTimers && { hasUnreadTimers }) },
  };
}

function laterLists(stored: ConversationInfo, ours: ConversationInfo) {
  const recalled = mergeRecalled(stored.recalled ?? none, ours.recalled ?? none);
  const mentionsOfAll = mergeRecalled(stored.mentionsOfAll ?? none, ours.mentionsOfAll ?? none);
  return {
    areSame: recalled === (stored.recalled ?? none) && mentionsOfAll === (stored.mentionsOfAll ?? none),
    merged: {
      ...(recalled.length > 0 ? { recalled } : {}),
      ...(mentionsOfAll.length > 0 ? { mentionsOfAll } : {}),
    },
  };
}

// Who is behind by more recalls than these has the older ones counted as unread.
export const recalledMax = 1_000;
const none: readonly Recalled[] = [];

/** The latest recalled messages of both, by seq; `known` itself when `more` adds none. */
export function mergeRecalled(known: readonly Recalled[], more: readonly Recalled[]): readonly Recalled[] {
  const seqs = new Set(known.map(([seq]) => seq));
  const first = known.length < recalledMax ? 0 : (known[0]?.[0] ?? 0);
  const added = more.filter(([seq]) => seq > first && !seqs.has(seq));
  if (added.length === 0) return known;
  return [...known, ...added].sort(([a], [b]) => a - b).slice(-recalledMax);
}

/** Both positions by themselves. */
export function laterMark(stored: Mark, ours: Mark): Mark {
  if (ours.foldedPos <= stored.foldedPos && ours.announcedPos <= stored.announcedPos) return stored;
  return {
    foldedPos: Math.max(stored.foldedPos, ours.foldedPos),
    announcedPos: Math.max(stored.announcedPos, ours.announcedPos),
  };
}

/** A copy that shares nothing. */
export function copyMember(member: Member): Member {
  return { ...member, stays: member.stays.map(([from, to]) => [from, to]) };
}

function takeMembership(member: Member, other: Member): boolean {
  const isLater =
    other.appliedSeq > member.appliedSeq ||
    // Between two users no event opens the stay, only the first message.
    (other.appliedSeq === member.appliedSeq && other.stays.length > member.stays.length);
  if (!isLater) return false;
  const later = copyMember(other);
  for (const field of membershipFields) {
    if (later[field] === undefined) delete member[field as "leftOrd"];
    else Object.assign(member, { [field]: later[field] });
  }
  return true;
}

const membershipFields = [
  ...(["role", "stays", "joinOrd", "leftOrd", "appliedSeq"] as const),
  ...(["banned", "pending", "blocks", "mutedUntil", "mode", "devices", "deviceJoins", "link"] as const),
] as const;

// After `deletedTo`: what lies before it is deleted anyway.
function takeHidden(member: Member, other: Member): boolean {
  if (!member.hidden && !other.hidden) return false;
  const known = member.hidden ?? none;
  const merged = mergeRecalled(known, other.hidden ?? none).filter(([seq]) => seq > member.deletedTo);
  if (merged.length === known.length && merged.every(([seq], index) => seq === known[index]?.[0])) return false;
  member.hidden = merged;
  return true;
}

function takeMentions(member: Member, { mentions }: Member): boolean {
  if (!mentions) return false;
  const known = member.mentions ?? none;
  const seen = Math.max(member.deletedOrd, member.readOrd, member.sentOrd);
  const merged = mergeRecalled(
    known,
    mentions.filter(([, ord]) => ord > seen),
  );
  if (merged === known) return false;
  member.mentions = merged;
  return true;
}

function takeSettings(member: Member, { settings }: Member): boolean {
  if (!settings || settings.version <= (member.settings?.version ?? 0)) return false;
  member.settings = settings;
  return true;
}

function takeChangedAt(member: Member, { changedAt = 0 }: Member): boolean {
  if (changedAt <= (member.changedAt ?? 0)) return false;
  member.changedAt = changedAt;
  return true;
}

type MarkField = "sentSeq" | "readSeq" | "deletedTo" | "deliveredSeq";

function take(member: Member, other: Member, field: MarkField, ord?: "sentOrd" | "readOrd" | "deletedOrd"): boolean {
  if (other[field] <= member[field]) return false;
  member[field] = other[field];
  if (ord) member[ord] = other[ord];
  if (field === "sentSeq" && other.sentAt !== undefined) member.sentAt = other.sentAt;
  return true;
}
