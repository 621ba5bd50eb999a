// Messages as their reader sees them: with their reactions, the last edit, or what a recall left of them.
import { limits, renderMessageText } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import { mayRead, sees } from "../fold/members.ts";
import { replyOf } from "../fold/message-event.ts";
import { type Annotations, annotationsKey } from "../keep/annotations.ts";
import type { HistoryStore, Member } from "../keep/store.ts";
import { erasedBody, storedBody } from "../keep/stored-body.ts";
import { pollState } from "./poll-state.ts";
import { quotesOf } from "./quotes.ts";
import { entryAt, visibleEdits } from "./versions.ts";

type Annotated = Pick<HistoryStore, "log" | "annotations">;

/** Who reacted is named up to here; `messages.reactions` has them all. */
const namedMax = 10;
const sparse = 8;

/** One stored entry as the message that is delivered, JSON text. */
export function messageJson(entry: LogEntry): string {
  return renderMessageText(entry, storedBody(entry));
}

/** The same of entries of one conversation, in order, each with what was said about it later and what it answers. */
export async function annotateMessages(
  store: Annotated,
  member: Member,
  entries: readonly LogEntry[],
): Promise<string[]> {
  const [annotated, quotes] = await Promise.all([
    annotationsOf(store, member.conv, entries),
    quotesOf(store, member, entries),
  ]);
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

// One look at an index, whatever is there.
async function annotationsOf(
  { annotations }: Annotated,
  conv: string,
  entries: readonly LogEntry[],
): Promise<ReadonlyMap<string, Annotations>> {
  const [first, last] = [entries[0]?.seq, entries.at(-1)?.seq];
  if (first === undefined || last === undefined) return new Map();
  const limit = last - first + 1;
  // Few of many, as in a thread: what lies between is not read.
  if (limit > sparse * entries.length) {
    const found = await annotations.getMany(entries.map(({ seq }) => annotationsKey(conv, seq)));
    return new Map([...found].map(([key, { doc }]) => [key, doc]));
  }
  const { items } = await annotations.find({ index: "by_seq", equals: [conv], from: first, to: last, limit });
  return new Map(items.map(({ key, doc }) => [key, doc]));
}

async function annotatedJson(
  store: Annotated,
  member: Member,
  entry: LogEntry,
  { annotations, quote }: { annotations: Annotations | undefined; quote: string | undefined },
): Promise<string> {
  const quoted = quote === undefined ? "" : `"quoted":${quote}`;
  if (!annotations) return withFields(messageJson(entry), quoted);
  const { recall } = annotations;
  if (recall && mayRead(member, recall.seq))
    return withFields(
      renderMessageText(entry, erasedBody(entry)),
      `"recalled":${JSON.stringify(recall)}`,
      annotations.thread ? repliesField(member, annotations.thread) : "",
    );
  const edit = await entryAt(store, entry.conv, visibleEdits(member, annotations).at(-1));
  const reactions = reactionsFor(member, annotations, namedMax);
  return withFields(
    messageJson(entry),
    edit ? `"edited":${messageJson(edit)}` : "",
    quoted,
    annotations.thread ? repliesField(member, annotations.thread) : "",
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
