// A tail: what the log has of one partition behind a position, kept as what it does to member documents, without bodies.
import type { LogEntry } from "@parley/store";
import type { Member, Recalled } from "../keep/store.ts";
import { keptExpiry } from "../keep/timers.ts";
import { aboutOf } from "./annotate.ts";
import {
  type Folded,
  foldEvent,
  foldExpiry,
  foldMentions,
  foldRecalls,
  foldSent,
  isCounted,
  membershipOf,
  openNamed,
  recallOf,
  uidsOf,
} from "./fold-entry.ts";
import { mentionsOf } from "./mentions.ts";

/** What the entries of one conversation come to. */
export interface ConversationTail {
  /** its first message is here: between two users it opens their stays */
  begins: boolean;
  events: LogEntry[];
  recalls: Recalled[];
  /** the last one that says when the conversation's messages disappear, and the last one that does so after a reading */
  expiries: LogEntry[];
  /** messages that mention somebody */
  mentions: LogEntry[];
  /** edits, recalls and reactions */
  abouts: LogEntry[];
  /** each sender's last counted message */
  sent: Map<string, { conv: string; seq: number; ord: number; ts: number }>;
}

export interface Tail {
  readonly q: number;
  /** everything above `from` up to `to` is in */
  readonly from: number;
  to: number;
  conversations: Map<string, ConversationTail>;
  /** how many events and senders it holds */
  size: number;
}

const noBody = new Uint8Array(0);

export function emptyTail(q: number, from: number): Tail {
  return { q, from, to: from, conversations: new Map(), size: 0 };
}

/** The next entries of the partition, in order. */
export function addToTail(tail: Tail, entries: readonly LogEntry[]): void {
  for (const entry of entries) {
    const known = tail.conversations.get(entry.conv);
    const conversation: ConversationTail = known ?? {
      begins: false,
      events: [],
      recalls: [],
      expiries: [],
      mentions: [],
      abouts: [],
      sent: new Map(),
    };
    tail.conversations.set(entry.conv, conversation);
    if (entry.seq === 1) conversation.begins = true;
    const before = sizeOf(conversation);
    const recall = recallOf(entry);
    if (recall) conversation.recalls.push(recall);
    noteExpiry(conversation, entry);
    if (aboutOf(entry)) conversation.abouts.push({ ...entry, body: noBody });
    else if (membershipOf(entry)) conversation.events.push({ ...entry, body: noBody });
    if (mentionsOf(entry)) conversation.mentions.push({ ...entry, body: noBody });
    const { conv, from, seq, ord, ts } = entry;
    if (isCounted(entry)) conversation.sent.set(from, { conv, seq, ord, ts });
    tail.size += sizeOf(conversation) - before;
    tail.to = entry.pos;
  }
}

function noteExpiry({ expiries }: ConversationTail, entry: LogEntry): void {
  const isEvent = membershipOf(entry)?.expiry !== undefined;
  if (!isEvent && keptExpiry(entry).expiresAfterRead === undefined) return;
  const known = expiries.findIndex(({ type }) => (type === "event") === isEvent);
  expiries.splice(known < 0 ? expiries.length : known, known < 0 ? 0 : 1, { ...entry, body: noBody });
}

function sizeOf({ sent, events, mentions, abouts }: ConversationTail): number {
  return sent.size + events.length + mentions.length + abouts.length;
}

/** Those whose member documents the tail may change, by name; it may change all if `touchesAll`. */
export function uidsOfTail(conv: string, { begins, events, mentions, sent }: ConversationTail): Set<string> {
  const opened = begins ? openNamed(scratch(conv)) : [];
  const named = [
    ...events.flatMap((entry) => uidsOf(entry) ?? []),
    ...mentions.flatMap((entry) => mentionsOf(entry)?.uids ?? []),
  ];
  return new Set([...opened.map(({ uid }) => uid), ...named, ...sent.keys()]);
}

/** True if an event in it is about everybody who ever was a member. */
export function touchesAll({ events }: ConversationTail): boolean {
  return events.some((entry) => uidsOf(entry) === undefined);
}

/** Folds the tail into the members. Answers those that changed; the structural ones apart. */
export function foldTail(
  { begins, events, recalls, expiries, mentions, sent }: ConversationTail,
  conversation: Folded,
): { structural: Set<Member>; sent: Set<Member> } {
  const structural = new Set(begins ? openNamed(conversation) : []);
  for (const entry of events) for (const member of foldEvent(conversation, entry)) structural.add(member);
  foldRecalls(conversation, recalls);
  for (const entry of expiries) foldExpiry(conversation, entry);
  const moved = new Set<Member>();
  for (const entry of mentions) for (const member of foldMentions(conversation, entry)) moved.add(member);
  for (const [from, at] of sent) {
    const member = foldSent(conversation, from, at);
    if (member) moved.add(member);
  }
  return { structural, sent: moved };
}

/** The member as the tail leaves it; changes `member`. */
export function foldMember(tail: ConversationTail, member: Member): void {
  foldTail(tail, { ...scratch(member.conv), members: new Map([[member.uid, member]]) });
}

/** Something to fold into, with nobody in it. */
export function scratch(conv: string): Folded {
  return { conv, name: "", nameSeq: 0, members: new Map(), recalled: [], mentionsOfAll: [] };
}
