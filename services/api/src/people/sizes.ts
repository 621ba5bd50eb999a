// How many entries rosters have, about: counted once, then kept in memory and counted again where it matters.
import { limits } from "@parley/protocol";
import { LRUCache } from "lru-cache";
import type { ApiStore, PairDoc } from "../store.ts";
import { isOver, sidesOf } from "./pairs.ts";

export interface RosterSizes {
  isFull(uid: string): Promise<boolean>;
  grew(uid: string): void;
}

const usersKept = 10_000;
const pageEntries = 500;

export function createRosterSizes(store: ApiStore): RosterSizes {
  const known = new LRUCache<string, number>({ max: usersKept });
  const count = async (uid: string) => {
    const size = await countEntries(store, uid);
    known.set(uid, size);
    return size;
  };
  return {
    async isFull(uid) {
      const size = known.get(uid) ?? (await count(uid));
      // Some may be removed since: only what is counted now is refused for.
      return size >= limits.rosterContacts && (await count(uid)) >= limits.rosterContacts;
    },
    grew(uid) {
      const size = known.get(uid);
      if (size !== undefined) known.set(uid, size + 1);
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
