// The messages that others answer, as a reader sees them now. A quote is a reference and never a copy, so that nothing of
// what was recalled, erased or may not be read lives on in an answer.
import { limits } from "@parley/protocol";
import type { ReadEntry } from "@parley/store";
import { mayRead, sees } from "../fold/members.ts";
import { replyOf } from "../fold/message-event.ts";
import { type Annotations, annotationsKey } from "../keep/annotations.ts";
import { entryAt } from "../keep/entry-at.ts";
import type { HistoryStore, Member } from "../keep/store.ts";
import { contentOf, isEmpty } from "../keep/stored-body.ts";
import { annotationsAtOnce } from "./annotation-pieces.ts";
import { hideExpired } from "./expired.ts";
import { visibleEdits } from "./versions.ts";

type Quoting = Pick<HistoryStore, "log" | "annotations" | "timers">;
type Content = ReturnType<typeof contentOf>;

const none: ReadonlyMap<number, string> = new Map();
/** What of a content is shown with an answer, where it is text. */
const shownFields = ["data", "name", "emoji", "question", "file"] as const;

/** Of the messages that these entries answer those that the member sees, by seq, as JSON text. */
export async function quotesOf(
  store: Quoting,
  member: Member,
  entries: readonly ReadEntry[],
): Promise<ReadonlyMap<number, string>> {
  const answered = new Set(entries.flatMap((entry) => replyOf(entry) ?? []));
  const seqs = [...answered].filter((seq) => sees(member, seq));
  if (seqs.length === 0) return none;
  const known = new Map(entries.map((entry) => [entry.seq, entry]));
  const quotes = new Map<number, string>();
  for (let at = 0; at < seqs.length; at += annotationsAtOnce) {
    const some = seqs.slice(at, at + annotationsAtOnce);
    for (const [seq, quote] of await quotesAt(store, member, some, known)) quotes.set(seq, quote);
  }
  return quotes;
}

async function quotesAt(
  store: Quoting,
  member: Member,
  seqs: readonly number[],
  known: ReadonlyMap<number, ReadEntry>,
): Promise<[seq: number, quote: string][]> {
  const { conv } = member;
  const [annotated, found] = await Promise.all([
    store.annotations.getMany(seqs.map((seq) => annotationsKey(conv, seq))),
    Promise.all(seqs.map((seq) => known.get(seq) ?? entryAt(store, conv, seq))).then((entries) =>
      hideExpired(
        store,
        entries.filter((entry) => entry !== undefined),
      ),
    ),
  ]);
  return Promise.all(
    found.map(async (entry): Promise<[number, string]> => {
      const content = await contentNow(store, member, entry, annotated.get(annotationsKey(conv, entry.seq))?.doc);
      const { seq, from, ts } = entry;
      return [seq, JSON.stringify({ seq, from, ts, content: shortened(content) })];
    }),
  );
}

async function contentNow(
  store: Quoting,
  member: Member,
  entry: ReadEntry,
  annotations: Annotations | undefined,
): Promise<Content> {
  const isRecalled = annotations?.recall && mayRead(member, annotations.recall.seq);
  if (isRecalled || isEmpty(entry)) return { type: "erased" };
  const content = contentOf(entry);
  const edit = annotations && (await entryAt(store, entry.conv, visibleEdits(member, annotations).at(-1)));
  return edit ? { ...content, data: contentOf(edit).data } : content;
}

function shortened(content: Content): Content {
  const short: Content = { type: content.type };
  for (const field of shownFields) {
    const text = content[field];
    if (typeof text === "string") short[field] = cut(text);
  }
  return short;
}

// Between characters, not within one.
function cut(text: string): string {
  if (text.length <= limits.quoteCharacters) return text;
  const characters = [...text.slice(0, 2 * limits.quoteCharacters)].slice(0, limits.quoteCharacters);
  return `${characters.join("")}…`;
}
