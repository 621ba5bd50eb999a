// When each user was last seen: kept in the store, many at a time.
import type { Collection, Documents } from "@parley/store";

interface SeenDoc {
  /** unix ms */
  at: number;
}

export interface LastSeen {
  /** unix ms; undefined: never, as far as is known */
  of(uid: string): Promise<number | undefined>;
  /** Resolves when it is kept. A later time stays. */
  keep(uid: string, at: number): Promise<void>;
  remove(uid: string): Promise<unknown>;
}

const batchUsers = 500;

export async function openLastSeen(documents: Documents): Promise<LastSeen> {
  const kept = await documents.collection<SeenDoc>({ name: "last_seen" });
  let waiting = new Map<string, number>();
  let writing: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  return {
    remove: (uid) => kept.remove(uid),
    of: async (uid) => (await kept.get(uid))?.doc.at,
    keep(uid, at) {
      waiting.set(uid, Math.max(at, waiting.get(uid) ?? 0));
      // What comes while one batch is written is the next one.
      next ??= writing.then(() => {
        const batch = waiting;
        waiting = new Map();
        next = undefined;
        const written = writeAll(kept, batch);
        writing = written.catch(() => undefined);
        return written;
      });
      return next;
    },
  };
}

async function writeAll(kept: Collection<SeenDoc>, batch: ReadonlyMap<string, number>): Promise<void> {
  const rows = [...batch];
  for (let from = 0; from < rows.length; from += batchUsers)
    await writeLater(kept, rows.slice(from, from + batchUsers));
}

// Another replica may have written meanwhile: those are read again.
async function writeLater(kept: Collection<SeenDoc>, rows: readonly (readonly [string, number])[]): Promise<void> {
  const known = await kept.getMany(rows.map(([uid]) => uid));
  const later = rows.filter(([uid, at]) => at > (known.get(uid)?.doc.at ?? 0));
  if (later.length === 0) return;
  const entries = later.map(([uid, at]) => {
    const before = known.get(uid);
    return { key: uid, doc: { at }, ...(before ? { ifVersion: before.version } : {}) };
  });
  const written = await kept.writeMany(entries);
  await writeLater(
    kept,
    later.filter((_, at) => !written[at]),
  );
}
