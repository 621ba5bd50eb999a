// The whole log in the order of time: all partitions read side by side, the earliest entry first.
import type { StoredEntry } from "@parley/protocol";

export interface LogBatch {
  entries: StoredEntry[];
  /** up to where each partition is read with them */
  positions: number[];
}

export type ReadPartition = (q: number, after: number) => Promise<StoredEntry[]>;

const batchEntries = 200;
const batchBytes = 1024 * 1024;
const readAtOnce = 8;

interface Head {
  entries: StoredEntry[];
  next: number;
}

/** Entries behind `from`, up to `ends`. What is retained away between two is skipped. */
export async function* logInOrder(
  read: ReadPartition,
  from: readonly number[],
  ends: readonly number[],
): AsyncGenerator<LogBatch> {
  const positions = [...from];
  const heads = new Map<number, Head>();
  const fill = async (q: number) => {
    const end = ends[q] ?? 0;
    const page = (positions[q] ?? 0) < end ? await read(q, positions[q] ?? 0) : [];
    const entries = page.filter(({ pos }) => pos <= end);
    if (entries.length > 0) heads.set(q, { entries, next: 0 });
    else heads.delete(q);
    if (entries.length === 0) positions[q] = Math.max(end, positions[q] ?? 0);
  };
  for (let q = 0; q < ends.length; q += readAtOnce)
    await Promise.all(Array.from({ length: Math.min(readAtOnce, ends.length - q) }, (_, at) => fill(q + at)));
  while (heads.size > 0) {
    const batch: StoredEntry[] = [];
    for (let bytes = 0; heads.size > 0 && batch.length < batchEntries && bytes < batchBytes; ) {
      const [q, head] = earliest(heads);
      const entry = head.entries[head.next++]!;
      batch.push(entry);
      bytes += entry.body.byteLength;
      positions[q] = entry.pos;
      if (head.next === head.entries.length) await fill(q);
    }
    yield { entries: batch, positions: [...positions] };
  }
}

function earliest(heads: ReadonlyMap<number, Head>): [number, Head] {
  let found: [number, Head] | undefined;
  let ts = Number.POSITIVE_INFINITY;
  for (const one of heads) {
    const head = one[1].entries[one[1].next]!;
    if (found && head.ts >= ts) continue;
    found = one;
    ts = head.ts;
  }
  return found!;
}
