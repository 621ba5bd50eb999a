// Messages as their reader sees them: with their reactions, the last edit, or what a recall left of them.
import { limits, renderMessageText, type ServerFields } from "@parley/protocol";
import type { ReadEntry } from "@parley/store";
import { isCounted } from "../fold/fold-entry.ts";
import { mayRead, sees } from "../fold/members.ts";
import { replyOf } from "../fold/message-event.ts";
import { type Annotations, annotationsKey } from "../keep/annotations.ts";
import { entryAt } from "../keep/entry-at.ts";
import type { HistoryStore, Member } from "../keep/store.ts";
import { bodyText, erasedText, isEmpty } from "../keep/stored-body.ts";
import { keptExpiry } from "../keep/timers.ts";
import { type AnnotatedPiece, annotationPieces } from "./annotation-pieces.ts";
import { hideExpired } from "./expired.ts";
import { pollState } from "./poll-state.ts";
import { quotesOf } from "./quotes.ts";
import { visibleEdits } from "./versions.ts";

type Annotated = Pick<HistoryStore, "log" | "annotations" | "timers">;

/** Who reacted is named up to here; `messages.reactions` has them all. */
const namedMax = 10;
// What they answer is read for so many at once, beside what was said about the first of them.
const entriesAtOnce = 200;

/** One stored entry as the message that is delivered, JSON text. */
export function messageJson(entry: ReadEntry): string {
  return renderMessageText(fieldsOf(entry), bodyText(entry));
}

function fieldsOf(entry: ReadEntry): ServerFields {
  const { conv, seq, from, device, ts } = entry;
  return { conv, seq, from, device, ts, expiresAt: isCounted(entry) ? keptExpiry(entry).expiresAt : undefined };
}

/**
 * The same of entries of one conversation, in their order, up or down, each with what was said about it later and what it
 * answers: all of them, or the first ones that are more than `maxBytes` together.
 */
export async function annotateMessages(
  store: Annotated,
  member: Member,
  entries: readonly ReadEntry[],
  maxBytes: number = Number.POSITIVE_INFINITY,
): Promise<string[]> {
  const texts: string[] = [];
  let left = maxBytes;
  for (let at = 0; at < entries.length; at += entriesAtOnce) {
    const some = await hideExpired(store, entries.slice(at, at + entriesAtOnce));
    const pieces = annotationPieces(store, some);
    let [quotes, piece] = await Promise.all([quotesOf(store, member, some), pieces.next()]);
    while (!piece.done) {
      const added = await annotatePiece(store, member, piece.value, quotes);
      for (const text of added) left -= Buffer.byteLength(text) + 1;
      texts.push(...added);
      if (left < 0) return texts;
      piece = await pieces.next();
    }
  }
  return texts;
}

async function annotatePiece(
  store: Annotated,
  member: Member,
  { entries, annotated }: AnnotatedPiece,
  quotes: ReadonlyMap<number, string>,
): Promise<string[]> {
  if (annotated.size === 0 && quotes.size === 0) return entries.map(messageJson);
  return Promise.all(
    entries.map((entry) =>
      annotatedJson(store, member, entry, {
        annotations: annotated.get(annotationsKey(entry.conv, entry.seq)),
        quote: quotes.get(replyOf(entry) ?? 0),
      }),
    ),
  );
}

async function annotatedJson(
  store: Annotated,
  member: Member,
  entry: ReadEntry,
  { annotations, quote }: { annotations: Annotations | undefined; quote: string | undefined },
): Promise<string> {
  const quoted = quote === undefined ? "" : `"quoted":${quote}`;
  if (!annotations) return withFields(messageJson(entry), quoted);
  const { recall } = annotations;
  const replies = annotations.thread ? repliesField(member, annotations.thread) : "";
  // Who left before it is not told of the recall; what it took is gone for all.
  const recalled = recall && mayRead(member, recall.seq) ? `"recalled":${JSON.stringify(recall)}` : "";
  if (recalled !== "" || isEmpty(entry))
    return withFields(renderMessageText(fieldsOf(entry), erasedText(entry)), recalled, replies);
  const edit = await entryAt(store, entry.conv, visibleEdits(member, annotations).at(-1));
  const reactions = reactionsFor(member, annotations, namedMax);
  return withFields(
    messageJson(entry),
    edit ? `"edited":${messageJson(edit)}` : "",
    quoted,
    replies,
    annotations.votes || annotations.closed ? `"poll":${JSON.stringify(pollState(member, annotations, namedMax))}` : "",
    reactions.length > 0 ? `"reactions":${JSON.stringify(reactions)}` : "",
  );
}

function repliesField(member: Member, thread: NonNullable<Annotations["thread"]>): string {
  const seen = thread.filter(([seq]) => sees(member, seq));
  const lastSeq = seen.at(-1)?.[0];
  return lastSeq === undefined ? "" : `"replies":${JSON.stringify({ count: seen.length, lastSeq })}`;
}

function withFields(message: string, ...fields: string[]): string {
  const given = fields.filter((field) => field !== "");
  return given.length === 0 ? message : `{${given.join(",")},${message.slice(1)}`;
}

export interface ReactionRow {
  reaction: string;
  count: number;
  mine: boolean;
  uids: string[];
}

/** The reactions that the member may see, in the order in which each kind was first given; `named` uids of each. */
export function reactionsFor(
  member: Member,
  { reactions }: Annotations,
  named: number = Number.POSITIVE_INFINITY,
): ReactionRow[] {
  const rows = new Map<string, ReactionRow>();
  for (const [text, uid, seq] of reactions) {
    const isShown = rows.has(text) || rows.size < limits.reactionKinds;
    if (!isShown || !mayRead(member, seq)) continue;
    const row = rows.get(text) ?? { reaction: text, count: 0, mine: false, uids: [] };
    rows.set(text, row);
    row.count += 1;
    row.mine ||= uid === member.uid;
    if (row.uids.length < named) row.uids.push(uid);
  }
  return [...rows.values()];
}
