// What each entry of the log does to the member documents: a function of the log, again is harmless.
import { type MembershipEvent, namedMembers, parseConv, type RoomState, uncountedTypes } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import type { ConversationExpiry, ConversationInfo, Member, Pins, Recalled, RoomSize } from "../keep/store.ts";
import { keptExpiry, type Timer, timerOf } from "../keep/timers.ts";
import { mergeRecalled } from "../project/advance.ts";
import { applyEvent } from "./apply-event.ts";
import { isMember, newMember } from "./members.ts";
import { foldMention, mentionsOf } from "./mentions.ts";

/** What entries are folded into: of `members` at least those that the entries touch. */
export interface Folded {
  readonly conv: string;
  name: string;
  /** seq of the event that gave the name and the room's state */
  nameSeq: number;
  room?: RoomState;
  size?: RoomSize;
  members: Map<string, Member>;
  /** the latest messages that were recalled, and that mention all */
  recalled: readonly Recalled[];
  mentionsOfAll: readonly Recalled[];
  pins?: Pins;
  expiry?: ConversationExpiry;
  hasUnreadTimers?: true;
}

/** What a folded entry changed. */
export interface Touched {
  members: Member[];
  /** who is a member, the name, or the room; not only a sender's own mark */
  isStructural: boolean;
  /** what the conversation is besides its log and members */
  isInfo: boolean;
}

/** Folds one entry into the members it touches. */
export function foldEntry(conversation: Folded, entry: LogEntry): Touched {
  const members: Member[] = [];
  if (entry.seq === 1) members.push(...openNamed(conversation));
  const event = membershipOf(entry);
  if (event) members.push(...foldEvent(conversation, entry));
  const recall = recallOf(entry);
  if (recall) foldRecalls(conversation, [recall]);
  const mentions = mentionsOf(entry);
  const isOfAll = mentions?.all === true;
  const isTimed = foldExpiry(conversation, entry);
  const isOfInfo = [event?.name, event?.members, event?.pins, recall].some((told) => told !== undefined);
  const isInfo = isOfInfo || isOfAll || isTimed;
  const isStructural = members.length > 0 || isInfo;
  if (mentions) members.push(...foldMentions(conversation, entry));
  if (isCounted(entry)) {
    const sender = foldSent(conversation, entry.from, entry);
    if (sender) members.push(sender);
  }
  return { members, isStructural, isInfo };
}

/** The membership event of an entry. */
export function membershipOf({ type, event }: LogEntry): MembershipEvent | undefined {
  return type === "event" && event ? (event as unknown as MembershipEvent) : undefined;
}

/** What the log keeps in a recall's `event`, so that its fold needs no look at the message it is about. */
export function recallEvent({ seq, ord }: LogEntry): Readonly<Record<string, unknown>> {
  return { event: "recall", seq, ord };
}

/** The message that an entry recalls. */
export function recallOf({ type, event }: LogEntry): Recalled | undefined {
  return type === "recall" && event ? [event.seq as number, event.ord as number] : undefined;
}

/** Notes recalled messages, which count as unread no longer. */
export function foldRecalls(conversation: Folded, recalls: readonly Recalled[]): void {
  conversation.recalled = mergeRecalled(conversation.recalled, recalls);
}

/** Notes when messages disappear. True if anything changed. */
export function foldExpiry(conversation: Folded, entry: LogEntry): boolean {
  const { expiry } = membershipOf(entry) ?? {};
  const isNew = expiry !== undefined && entry.seq > (conversation.expiry?.seq ?? 0);
  if (isNew) conversation.expiry = { seq: entry.seq, expiry };
  if (keptExpiry(entry).expiresAfterRead === undefined || conversation.hasUnreadTimers) return isNew;
  conversation.hasUnreadTimers = true;
  return true;
}

/** Notes whom an entry mentions. Answers the members that changed. */
export function foldMentions(conversation: Folded, entry: LogEntry): Member[] {
  const mentions = mentionsOf(entry);
  if (!mentions) return [];
  const { at } = mentions;
  if (mentions.all) conversation.mentionsOfAll = mergeRecalled(conversation.mentionsOfAll, [at]);
  return mentions.uids.flatMap((uid) => {
    const member = conversation.members.get(uid);
    return uid !== entry.from && isMember(member) && foldMention(member, at) ? [member] : [];
  });
}

/** What the store keeps of a conversation besides its log and members. */
export function infoOf(folded: Folded): ConversationInfo {
  const { conv, name, nameSeq, room, size, recalled, mentionsOfAll, pins, expiry, hasUnreadTimers } = folded;
  return {
    conv,
    name,
    nameSeq,
    ...(room ? { room } : {}),
    ...(size ? { size } : {}),
    ...(recalled.length > 0 ? { recalled } : {}),
    ...(mentionsOfAll.length > 0 ? { mentionsOfAll } : {}),
    ...(pins ? { pins } : {}),
    ...(expiry ? { expiry } : {}),
    ...(hasUnreadTimers ? { hasUnreadTimers } : {}),
  };
}

/** True if the entry counts as unread and moves its sender's own mark. */
export function isCounted({ type }: Pick<LogEntry, "type">): boolean {
  return !uncountedTypes.has(type);
}

/** The timer that is kept for it: of a message, not of what is said about one. */
export function ownTimerOf(entry: LogEntry): Timer | undefined {
  return entry.event && isCounted(entry) ? timerOf(entry) : undefined;
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

/** Everybody whom a membership event is about; undefined: everybody who ever was a member. */
export function uidsOf(entry: LogEntry): string[] | undefined {
  const event = membershipOf(entry);
  if (!event) return [];
  const { event: kind, by, uids, invited = [], owner, devices = {} } = event;
  if (kind === "delete") return undefined;
  return [
    ...((kind === "create" && !event.room?.guests) || kind === "transfer" ? [by] : []),
    ...uids,
    ...invited,
    ...Object.keys(devices),
    ...(owner === undefined ? [] : [owner]),
  ];
}

/** Folds a membership event. Answers the members it is about, unless they had it. */
export function foldEvent(conversation: Folded, entry: LogEntry): Member[] {
  const event = membershipOf(entry);
  if (!event) return [];
  const touched: Member[] = [];
  if (event.name !== undefined && entry.seq > conversation.nameSeq) {
    conversation.name = event.name;
    conversation.nameSeq = entry.seq;
    if (event.room) conversation.room = event.room;
  }
  if (event.members !== undefined && entry.seq > (conversation.size?.seq ?? 0))
    conversation.size = { members: event.members, seq: entry.seq };
  if (event.pins !== undefined && entry.seq > (conversation.pins?.seq ?? 0))
    conversation.pins = { list: event.pins, seq: entry.seq };
  for (const uid of uidsOf(entry) ?? [...conversation.members.keys()]) {
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
  { conv, seq, ord, ts }: { conv: string; seq: number; ord: number; ts: number },
): Member | undefined {
  const sender = members.get(from);
  if (!sender || seq <= sender.sentSeq) return undefined;
  sender.sentSeq = seq;
  sender.sentOrd = ord;
  if (conv.startsWith("room/")) sender.sentAt = ts;
  return sender;
}
