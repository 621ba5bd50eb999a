// The member documents of users, kept in memory where no other process writes them: whoever counts what is unread for many users
// does not read them again and again.
import type { Collection } from "@parley/store";
import { LRUCache } from "lru-cache";
import type { Member } from "./store.ts";

/** Documents as the store has them: never changed, only copied. */
export type Membership = Readonly<Member>;

export interface Memberships {
  /** Those that `read` finds, or found and which nobody has written since. */
  of(uid: string, read: () => Promise<Member[]>): Promise<readonly Membership[]>;
}

/** About 600 bytes each. */
const documentsKept = 100_000;

/** Reads every time. */
export const readMemberships: Memberships = { of: (_, read) => read() };

/** The collection, and what is kept of it: of a user whose document is written nothing, until it is asked for again. */
export function keepingMemberships(
  members: Collection<Member>,
  most = documentsKept,
): { members: Collection<Member>; memberships: Memberships } {
  const kept = new LRUCache<string, readonly Membership[]>({ maxSize: most, sizeCalculation: (all) => all.length + 1 });
  const reading = new Map<string, Promise<readonly Membership[]>>();

  // A read that is under way may be of before the write: whoever has begun it is told, and nobody else.
  function forget(keys: readonly string[]): void {
    for (const key of keys) {
      const uid = key.slice(key.lastIndexOf(" ") + 1);
      kept.delete(uid);
      reading.delete(uid);
    }
  }

  // Also when it failed: it may be stored all the same.
  const written = <T>(keys: readonly string[], write: Promise<T>): Promise<T> => write.finally(() => forget(keys));
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
