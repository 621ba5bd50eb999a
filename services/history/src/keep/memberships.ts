// The member documents of users, kept in memory where no other process writes them: whoever counts what is unread for many users
// does not read them again and again.
import type { Collection } from "@parley/store";
import { LRUCache } from "lru-cache";

export interface Memberships<T> {
  /** What `read` finds, or found before if nobody has written any of it since. Callers may only move it forward, as the log says. */
  of(uid: string, read: () => Promise<T[]>): Promise<readonly T[]>;
}

/** About 600 bytes each. */
const documentsKept = 200_000;

/** Reads every time. */
export function readingMemberships<T>(): Memberships<T> {
  return { of: (_, read) => read() };
}

/** The collection, and what is kept of it: a write of a user's document drops what is kept of that user. */
export function keepingMemberships<T extends object>(
  members: Collection<T>,
  most = documentsKept,
): { members: Collection<T>; memberships: Memberships<T> } {
  const kept = new LRUCache<string, readonly T[]>({ maxSize: most, sizeCalculation: (all) => all.length + 1 });
  const reading = new Map<string, Promise<readonly T[]>>();

  // A read that is under way may be of before the write: those who wait for it get what it finds, but it is not kept.
  function forget(keys: readonly string[]): void {
    for (const key of keys) {
      const uid = key.slice(key.lastIndexOf(" ") + 1);
      kept.delete(uid);
      reading.delete(uid);
    }
  }

  // Also when it failed: it may be stored all the same.
  const written = <Done>(keys: readonly string[], write: Promise<Done>): Promise<Done> =>
    write.finally(() => forget(keys));
  const keysOf = (entries: readonly { key: string }[]) => entries.map(({ key }) => key);

  return {
    members: {
      get: (key) => members.get(key),
      getMany: (keys) => members.getMany(keys),
      insert: (key, doc) => written([key], members.insert(key, doc)),
      update: (key, doc, ifVersion) => written([key], members.update(key, doc, ifVersion)),
      put: (entries) => written(keysOf(entries), members.put(entries)),
      writeMany: (entries) => written(keysOf(entries), members.writeMany(entries)),
      remove: (key, ifVersion) => written([key], members.remove(key, ifVersion)),
      find: (query) => members.find(query),
    },
    memberships: {
      async of(uid, read) {
        const known = kept.get(uid) ?? reading.get(uid);
        if (known) return known;
        const work = read();
        reading.set(uid, work);
        try {
          const found = await work;
          if (reading.get(uid) === work) kept.set(uid, found);
          return found;
        } finally {
          if (reading.get(uid) === work) reading.delete(uid);
        }
      },
    },
  };
}
