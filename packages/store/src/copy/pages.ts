// How both sides are read: page by page, each of a few MiB, whatever its entries or documents weigh.
import type { Collection, Versioned } from "../documents.ts";
import type { LogEntry, MessageLog } from "../log.ts";

const firstLimit = 50;
const limitMax = 500;
const pageBytes = 4 * 1024 * 1024;

/** Entries of a partition behind `afterPos`, in order. */
export async function* entryPages(log: MessageLog, q: number, afterPos: number): AsyncGenerator<LogEntry[]> {
  let limit = firstLimit;
  for (let pos = afterPos; ; ) {
    const page = await log.follow(q, pos, limit);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    pos = last.pos;
    limit = nextLimit(page, ({ body }) => body.length);
  }
}

/** All documents of a collection, by key. */
export async function* documentPages(collection: Collection<object>): AsyncGenerator<Versioned<object>[]> {
  let limit = firstLimit;
  let page: string | null | undefined;
  do {
    const found = await collection.find({ limit, ...(page ? { page } : {}) });
    if (found.items.length > 0) yield found.items;
    limit = nextLimit(found.items, ({ doc }) => JSON.stringify(doc).length);
    page = found.next;
  } while (page);
}

function nextLimit<T>(page: readonly T[], bytesOf: (item: T) => number): number {
  const bytes = page.reduce((sum, item) => sum + bytesOf(item), 1);
  return Math.max(1, Math.min(limitMax, Math.floor((pageBytes * page.length) / bytes)));
}
