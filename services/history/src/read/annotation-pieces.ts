// What was said later about the messages of a page, a piece at a time: one document may be hundreds of KiB.
import type { ReadEntry } from "@parley/store";
import { type Annotations, annotationsKey } from "../keep/annotations.ts";
import type { HistoryStore } from "../keep/store.ts";

export interface AnnotatedPiece {
  entries: readonly ReadEntry[];
  /** by key */
  annotated: ReadonlyMap<string, Annotations>;
}

/** Documents in memory at once. */
export const annotationsAtOnce = 50;
const sparse = 8;

/** All of these entries of one conversation, in their order, up or down. One look at an index where few have anything. */
export async function* annotationPieces(
  { annotations }: Pick<HistoryStore, "annotations">,
  entries: readonly ReadEntry[],
): AsyncGenerator<AnnotatedPiece> {
  const [first, last] = [entries[0], entries.at(-1)];
  if (!first || !last) return;
  // Few of many, as in a thread: what lies between is not read.
  if (Math.abs(last.seq - first.seq) >= sparse * entries.length) {
    yield* piecesByKey(annotations, entries);
    return;
  }
  const isUp = first.seq <= last.seq;
  const [from, to] = isUp ? [first.seq, last.seq] : [last.seq, first.seq];
  const order = isUp ? ("asc" as const) : ("desc" as const);
  const query = { index: "by_seq", equals: [first.conv], from, to, order, limit: annotationsAtOnce };
  let rest = entries;
  for (let page: string | null | undefined; page !== null && rest.length > 0; ) {
    const { items, next } = await annotations.find(page === undefined ? query : { ...query, page });
    page = next;
    const end = items.at(-1)?.doc.seq ?? to;
    const behind = next === null ? -1 : rest.findIndex(({ seq }) => (isUp ? seq > end : seq < end));
    const some = behind < 0 ? rest : rest.slice(0, behind);
    rest = rest.slice(some.length);
    yield { entries: some, annotated: new Map(items.map(({ key, doc }) => [key, doc])) };
  }
}

async function* piecesByKey(
  annotations: HistoryStore["annotations"],
  entries: readonly ReadEntry[],
): AsyncGenerator<AnnotatedPiece> {
  for (let at = 0; at < entries.length; at += annotationsAtOnce) {
    const some = entries.slice(at, at + annotationsAtOnce);
    const found = await annotations.getMany(some.map(({ conv, seq }) => annotationsKey(conv, seq)));
    yield { entries: some, annotated: new Map([...found].map(([key, { doc }]) => [key, doc])) };
  }
}
