// What each entry of the log does to the member documents: a function of the log, again is harmless.
import { type MembershipEvent, namedMembers, parseConv, uncountedTypes } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import type { Member } from "../keep/store.ts";
import { newMember } from "./members.ts";

/** What entries are folded into: of `members` at least those that the entries touch. */
export interface Folded {
  readonly conv: string;
  name: string;
  /** seq of the event that gave the name */
  nameSeq: number;
  members: Map<string, Member>;
}

/** What a folded entry changed. `isStructural`: who is a member, or the name; not only a sender's own mark. */
export interface Touched {
  members: Member[];
  isStructural: boolean;
}

/** Folds one entry into the members it touches. */
export function foldEntry(conversation: Folded, entry: LogEntry): Touched {
  const members: Member[] = [];
  if (entry.seq === 1) members.push(...openNamed(conversation));
  if (entry.event) members.push(...foldEvent(conversation, entry));
  const isStructural = members.length > 0 || entry.event?.name !== undefined;
  if (isCounted(entry)) {
    const sender = foldSent(conversation, entry.from, entry);
    if (sender) members.push(sender);
  }
  return { members, isStructural };
}

/** True if the entry counts as unread and moves its sender's own mark. */
export function isCounted({ type }: LogEntry): boolean {
  return !uncountedTypes.has(type);
}

/** The two of a p2p conversation are its members from its first message on. Answers who became one. */
export function openNamed({ conv, members }: Folded): Member[] {
  const parsed = parseConv(conv);
  const opened: Member[] = [];
  for (const uid of (parsed && namedMembers(parsed)) ?? []) {
    const member = members.get(uid) ?? newMember(conv, uid);
    if (member.stays.length > 0) continue;
    member.stays.push([1, null]);
    members.set(uid, member);
    opened.push(member);
  }
  return opened;
}

/** Everybody whom a membership event is about. */
export function uidsOf({ event }: LogEntry): string[] {
  if (!event) return [];
  const { event: kind, by, uids, owner } = event as unknown as MembershipEvent;
  return [...(kind === "create" ? [by] : []), ...uids, ...(owner === undefined ? [] : [owner])];
}

/** Folds a membership event. Answers the members it is about, unless they had it. */
export function foldEvent(conversation: Folded, entry: LogEntry): Member[] {
  const event = entry.event as unknown as MembershipEvent;
  const touched: Member[] = [];
  if (event.name !== undefined && entry.seq > conversation.nameSeq) {
    conversation.name = event.name;
    conversation.nameSeq = entry.seq;
  }
  for (const uid of uidsOf(entry)) {
    const member = conversation.members.get(uid) ?? newMember(conversation.conv, uid);
    if (member.appliedSeq >= entry.seq) continue;
    member.appliedSeq = entry.seq;
    applyEvent(member, entry, event);
    conversation.members.set(uid, member);
    touched.push(member);
  }
  return touched;
}

/** A counted message that a member sent moves its own mark. Answers the member if it moved. */
export function foldSent(
  { members }: Pick<Folded, "members">,
  from: string,
  { seq, ord }: { seq: number; ord: number },
): Member | undefined {
  const sender = members.get(from);
  if (!sender || seq <= sender.sentSeq) return undefined;
  sender.sentSeq = seq;
  sender.sentOrd = ord;
  return sender;
}

function applyEvent(member: Member, entry: LogEntry, event: MembershipEvent): void {
  const open = member.stays.at(-1);
  if (member.uid === event.owner) {
    member.role = "owner";
    return;
  }
  if (event.event === "role") {
    member.role = event.role ?? "member";
    return;
  }
  if (event.event === "leave" || event.event === "remove") {
    if (open && open[1] === null) open[1] = entry.seq;
    member.leftOrd = entry.ord;
    return;
  }
  if (open && open[1] === null) return;
  member.stays.push([entry.seq, null]);
  member.role = event.event === "create" && member.uid === event.by ? "owner" : (event.role ?? "member");
  member.joinOrd = entry.ord;
  delete member.leftOrd;
}
