// How many entries rosters have, about: counted once, then kept in memory and counted again where it matters. That one is full
// is believed for some seconds: whoever tries again and again costs no count each time.
import { limits } from "@parley/protocol";
import { LRUCache } from "lru-cache";
import type { ApiStore, PairDoc } from "../store.ts";
import { isOver, sidesOf } from "./pairs.ts";

export interface RosterSizes {
  isFull(uid: string): Promise<boolean>;
  grew(uid: string): void;
  shrank(uid: string): void;
}

const usersKept = 10_000;
/** Some may be removed by another replica. */
const fullMs = 5_000;
const pageEntries = 500;

export function createRosterSizes(store: ApiStore): RosterSizes {
  const known = new LRUCache<string, number>({ max: usersKept });
  const full = new LRUCache<string, true>({ max: usersKept, ttl: fullMs });
  /** counts under way */
  const counting = new Map<string, Promise<number>>();
  const count = (uid: string): Promise<number> => {
    const begun = counting.get(uid);
    if (begun) return begun;
    const counted = countEntries(store, uid)
      .then((size) => {
        known.set(uid, size);
        return size;
      })
      .finally(() => counting.delete(uid));
    counting.set(uid, counted);
    return counted;
  };
  return {
    async isFull(uid) {
      if (full.has(uid)) return true;
      const size = known.get(uid);
      if (size !== undefined && size < limits.rosterContacts) return false;
      if ((await count(uid)) < limits.rosterContacts) return false;
      full.set(uid, true);
      return true;
    },
    grew(uid) {
      const size = known.get(uid);
      if (size !== undefined) known.set(uid, size + 1);
    },
    shrank(uid) {
      full.delete(uid);
    },
  };
}

async function countEntries({ pairs }: ApiStore, uid: string): Promise<number> {
  let count = 0;
  for (const index of ["ofA", "ofB"] as const)
    for (let page: string | null | undefined; page !== null; ) {
      const query = { index, equals: [uid], limit: pageEntries, ...(page === undefined ? {} : { page }) };
      const { items, next } = await pairs.find(query);
      count += items.filter(({ doc }: { doc: PairDoc }) => !isOver(sidesOf(doc, uid).mine)).length;
      page = next;
    }
  return count;
}
