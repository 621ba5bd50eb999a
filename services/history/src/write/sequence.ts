// Gives the messages of one batch their places: a pure function of the conversations' state and of what is stored.
import {
  type Appended,
  type AppendItem,
  type AppendOutcome,
  type Expiry,
  isThereWith,
  namedMembers,
  type Poll,
  parseConv,
  uncountedTypes,
} from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import { aboutEvent, aboutOf, annotate } from "../fold/annotate.ts";
import { asSeenWith, clientIdOf } from "../fold/devices.ts";
import { isCounted, ownTimerOf } from "../fold/fold-entry.ts";
import { isMember, isOpenTo, mayRead, newMember, outsideOf, thereWithOthers } from "../fold/members.ts";
import { mentionsOf } from "../fold/mentions.ts";
import { messageEvent } from "../fold/message-event.ts";
import { wayEvent } from "../fold/onward.ts";
import { type Annotations, noAnnotations } from "../keep/annotations.ts";
import type { FilePlace, Member, ThreadMark } from "../keep/store.ts";
import { storedBody } from "../keep/stored-body.ts";
import { expiryOrigin, isOver, type KeptExpiry, keptExpiry, type Timer, timerOf } from "../keep/timers.ts";
import { refuseAction, refuseSpeed, refuseWriting } from "../rooms/rights.ts";
import { type Conversation, sentLatelyWith, takenFromWith } from "./conversation.ts";
import { type Pointing, refuseAbout } from "./decide-about.ts";
import { refuseCopied } from "./decide-copied.ts";
import { noSuchUser, refusal } from "./outcome.ts";
import { followersBy, refuseThread } from "./refuse-thread.ts";

/** One message with all that was looked up for it. */
export interface Candidate {
  item: AppendItem;
  conversation: Conversation;
  /** the entry stored under the same key, if any */
  stored: LogEntry | undefined;
  /** true: the message that `prev` names is stored (or there is no prev) */
  prevStored: boolean;
  /** decided before: the receiver does not exist, or could not be asked for */
  refusal: AppendOutcome | undefined;
  /** of an edit, recall, reaction or vote: what it says */
  pointing?: Pointing;
  /** the entry that it is about, if it is there, and what was said about that before */
  about?: LogEntry | undefined;
  /** what that offers, if it is a poll */
  poll?: Poll | undefined;
  annotations?: Annotations | undefined;
  /** what it is a copy of */
  original?: LogEntry | undefined;
}

export interface Sequenced {
  entries: LogEntry[];
  /** of those that refer to an attachment */
  files: FilePlace[];
  /** of threads, by what is written in them */
  followers: ThreadMark[];
  /** of those that disappear */
  timers: Timer[];
  /** one a candidate, in order */
  outcomes: AppendOutcome[];
  /** what the entries change about other messages */
  annotations: Annotations[];
}

interface Draft {
  seq: number;
  ord: number;
  ts: number;
  ids: Map<string, LogEntry>;
  /** what this batch says about messages, by their seqs */
  annotations: Map<number, Annotations>;
  /** unix ms: when this batch's senders last sent */
  sentAt: Map<string, number>;
  /** unix ms: when messages were sent of late, with those of this batch */
  sentLately: readonly number[] | undefined;
  /** up to where copies came from other rooms, with those of this batch */
  takenFrom: ReadonlyMap<string, number> | undefined;
}

/** Nothing is moved here: the state follows only when the entries are committed. */
export function sequence(candidates: readonly Candidate[], q: number, lastPos: number, now: number): Sequenced {
  const drafts = new Map<string, Draft>();
  const entries: LogEntry[] = [];
  const files: FilePlace[] = [];
  const followers: ThreadMark[] = [];
  const outcomes = candidates.map((candidate): AppendOutcome => {
    const { item, conversation, stored } = candidate;
    const draft = draftOf(drafts, conversation);
    const key = `${item.from} ${item.device} ${item.id}`;
    const duplicate = stored ?? draft.ids.get(key);
    if (duplicate) return againOf(duplicate, item.body);
    if (candidate.refusal) return candidate.refusal;
    const refused = refuse(candidate, draft, now);
    if (refused) return refused;
    if (item.trial) return { seq: 0, ts: now, memberSeq: conversation.memberSeq };
    const entry = place(candidate, draft, q, lastPos + entries.length + 1, now);
    followers.push(...noteAbout(candidate, draft, entry));
    draft.ids.set(key, entry);
    if (conversation.room && isCounted(entry)) {
      draft.sentAt.set(item.from, entry.ts);
      draft.sentLately = sentLatelyWith(entry, conversation.room, draft.sentLately);
    }
    const came = item.via?.at(-1);
    if (came) draft.takenFrom = takenFromWith(came, draft.takenFrom);
    entries.push(entry);
    if (item.file !== undefined)
      files.push({ file: item.file, conv: entry.conv, seq: entry.seq, from: entry.from, at: now });
    return entry.body === item.body ? outcomeOf(entry) : keptOf(entry);
  });
  const annotations = [...drafts.values()].flatMap((draft) => [...draft.annotations.values()]);
  return { entries, files, timers: timersOf(entries), followers, outcomes, annotations };
}

// Notes what an entry says about another message. Answers who follows a thread by it.
function noteAbout(candidate: Candidate, draft: Draft, entry: LogEntry): ThreadMark[] {
  const about = aboutOf(entry);
  if (!about) return [];
  const known = annotationsOf(candidate, draft, about.seq);
  draft.annotations.set(about.seq, annotate(known, entry, about));
  return about.event === "thread" && candidate.about ? followersBy(entry, candidate.about, known) : [];
}

function timersOf(entries: readonly LogEntry[]): Timer[] {
  return entries.flatMap((entry) => ownTimerOf(entry) ?? []);
}

function outcomeOf(entry: LogEntry): Appended {
  const { seq, ts, memberSeq } = entry;
  const { expiresAt } = isCounted(entry) ? keptExpiry(entry) : {};
  return { seq, ts, memberSeq, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

/** A duplicate's answer carries the message as it is kept, where the sender sent something else under its id. */
function againOf(entry: LogEntry, sent: Uint8Array): Appended {
  const again: Appended = { ...outcomeOf(entry), duplicate: true };
  const isSame = Buffer.compare(entry.body, sent) === 0 && !isOver(entry, Date.now());
  return isSame ? again : { ...again, ...keptOf(entry) };
}

// What is delivered is what is kept, and not what was sent.
function keptOf(entry: LogEntry): Appended {
  return { ...outcomeOf(entry), stored: storedBody(entry), storedAt: entry.pos };
}

function draftOf(drafts: Map<string, Draft>, conversation: Conversation): Draft {
  const { conv, lastSeq, lastOrd, lastTs, sentLately, takenFrom } = conversation;
  const known = drafts.get(conv);
  if (known) return known;
  const draft: Draft = {
    seq: lastSeq,
    ord: lastOrd,
    ts: lastTs,
    ids: new Map(),
    annotations: new Map(),
    sentAt: new Map(),
    sentLately,
    takenFrom,
  };
  drafts.set(conv, draft);
  return draft;
}

function annotationsOf(
  { conversation, annotations }: Pick<Candidate, "conversation" | "annotations">,
  draft: Draft,
  seq: number,
): Annotations {
  return draft.annotations.get(seq) ?? annotations ?? noAnnotations(conversation.conv, seq);
}

function refuse(candidate: Candidate, draft: Draft, now: number): AppendOutcome | undefined {
  const { item, conversation, prevStored } = candidate;
  if (item.origin === expiryOrigin) return refuseExpiry(candidate, draft);
  const parsed = parseConv(conversation.conv);
  if (!parsed) return refusal("invalid_packet");
  const named = namedMembers(parsed);
  const member = conversation.members.get(item.from);
  if (item.via) {
    const { takenFrom, sentLately } = draft;
    const refused = refuseCopied(item, conversation, { takenFrom, sentLately, now });
    return refused ?? refuseSaying(candidate, draft, { sender: undefined, reader: undefined });
  }
  if (named && !named.includes(item.from)) return refusal("not_member");
  const outside = named ? undefined : refuseOutside(conversation, member, item);
  if (outside) return outside;
  const sender = member ? asSeenWith(member, clientIdOf(item)) : newMember(conversation.conv, item.from);
  const silenced = named ? undefined : refuseInRoom(conversation, sender, item, draft, now);
  if (silenced) return silenced;
  const closed = conversation.refused?.get(item.from);
  if (closed) return closed === "not_found" ? noSuchUser : refusal(closed);
  const prevInBatch = item.prev !== undefined && draft.ids.has(`${item.from} ${item.device} ${item.prev}`);
  if (!prevStored && !prevInBatch) return refusal("out_of_order");
  return refuseSaying(candidate, draft, { sender, reader: named ? undefined : sender });
}

function refuseOutside(
  { conv, room }: Conversation,
  member: Member | undefined,
  item: AppendItem,
): AppendOutcome | undefined {
  const isHere = isMember(member);
  if ((isHere && isThereWith(member, clientIdOf(item))) || isOpenTo(room, member)) return undefined;
  const { code, message } = isHere ? thereWithOthers() : outsideOf({ conv, member, room });
  return refusal(code, message);
}

// What it is about, answers, copies and mentions.
function refuseSaying(
  { item, conversation, annotations: known, about, pointing, poll, original }: Candidate,
  draft: Draft,
  { sender, reader }: { sender: Member | undefined; reader: Member | undefined },
): AppendOutcome | undefined {
  const annotations = annotationsOf({ conversation, annotations: known }, draft, pointing?.seq ?? item.thread ?? 0);
  const refused = pointing
    ? refuseAbout(item, { pointing, about, poll, annotations, sender, room: conversation.room })
    : (refuseThread(item, about, annotations, reader) ?? refuseReply(item, draft, reader) ?? refuseCopy(original));
  return refused ?? refuseMentions(item, conversation, about);
}

// Nobody's rights are asked: the time of a message is over, whoever may do what by now.
function refuseExpiry(candidate: Candidate, draft: Draft): AppendOutcome | undefined {
  const { about, pointing, conversation } = candidate;
  const isThere =
    about && pointing && !conversation.room?.deleted && !annotationsOf(candidate, draft, pointing.seq).recall;
  return isThere ? undefined : refusal("not_found");
}

function refuseInRoom(
  { room }: Conversation,
  sender: Member,
  { type, from }: AppendItem,
  { sentAt, sentLately = [] }: Draft,
  now: number,
): AppendOutcome | undefined {
  if (!room && sender.mutedUntil === undefined) return undefined;
  const lastSentAt = sentAt.get(from) ?? sender.sentAt;
  const error = refuseWriting(room, sender, { type, now, lastSentAt }) ?? refuseSpeed(room, { type, now, sentLately });
  return error && refusal(error.code, error.message, error.details);
}

// What was recalled may be answered: who answers may not know yet. `reader`: in a room; of two each reads all there is.
function refuseReply({ reply }: AppendItem, { seq }: Draft, reader: Member | undefined): AppendOutcome | undefined {
  if (reply === undefined || (reply <= seq && (!reader || mayRead(reader, reply)))) return undefined;
  return refusal("not_found", `there is no message ${reply} to answer here`);
}

// A copy would outlive it.
function refuseCopy(original: LogEntry | undefined): AppendOutcome | undefined {
  if (!original || !timerOf(original)) return undefined;
  return refusal("forbidden", `message ${original.seq} disappears: it is not sent on`);
}

// To mention all is a right, in rooms; an edit of a message that did it may do it again.
function refuseMentions(
  { from, type, mentions }: AppendItem,
  { conv, members, room }: Conversation,
  about: LogEntry | undefined,
): AppendOutcome | undefined {
  const sender = members.get(from) ?? (room?.guests ? newMember(conv, from) : undefined);
  if (type === "edit" && about && mentionsOf(about)?.all) return undefined;
  if (!mentions?.all || !conv.startsWith("room/") || !sender) return undefined;
  const error = refuseAction(room, sender, "mentionAll");
  return error && refusal(error.code, error.message, error.details);
}

// What the fold and readers need of a message without its body.
function eventOf(candidate: Candidate, ts: number): LogEntry["event"] {
  const { item, conversation } = candidate;
  const event = saidIn(candidate, ts);
  if (!item.via && !conversation.room?.nested) return event;
  const way = wayEvent(item, conversation.room);
  return Object.keys(way).length === 0 ? event : { ...(event ?? { event: "message" }), ...way };
}

function saidIn({ item, about, pointing, poll, conversation }: Candidate, ts: number): LogEntry["event"] {
  if (about && pointing) {
    const { mentions } = item;
    return aboutEvent(item.type, about, { ...pointing, mentions, isAnonymous: poll?.anonymous === true });
  }
  if (uncountedTypes.has(item.type)) return null;
  const message = messageEvent(item);
  const expiry = item.expires ?? conversation.expiry?.expiry;
  const end = earlierEnd(expiry ? endOf(expiry, ts) : {}, item.expiresAt);
  return end ? { ...(message ?? { event: "message" }), ...end } : message;
}

// A copy disappears with what it is a copy of, or earlier, as messages do here.
function earlierEnd(own: KeptExpiry, there: number | undefined): KeptExpiry | undefined {
  if (there === undefined) return Object.keys(own).length === 0 ? undefined : own;
  return { expiresAt: Math.min(there, own.expiresAt ?? there) };
}

function endOf({ seconds, from }: Expiry, ts: number): KeptExpiry {
  return from === "sent" ? { expiresAt: ts + seconds * 1_000 } : { expiresAfterRead: seconds };
}

function place(candidate: Candidate, draft: Draft, q: number, pos: number, now: number): LogEntry {
  const { item, conversation, poll } = candidate;
  draft.seq += 1;
  draft.ord += uncountedTypes.has(item.type) ? 0 : 1;
  draft.ts = Math.max(draft.ts, now);
  return {
    q,
    pos,
    conv: conversation.conv,
    seq: draft.seq,
    ord: draft.ord,
    from: item.from,
    device: item.device,
    id: item.id,
    type: item.type,
    ts: draft.ts,
    origin: item.origin ?? null,
    event: eventOf(candidate, draft.ts),
    memberSeq: conversation.memberSeq,
    body: poll?.anonymous && item.type === "vote" ? secretBody(item) : item.body,
  };
}

// That somebody voted, and not for what: this is what is delivered, kept and answered.
function secretBody({ id, body }: AppendItem): Uint8Array {
  const { to, content } = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
  return Buffer.from(JSON.stringify({ id, to, content: { type: "vote", seq: content.seq } }));
}
