// Between whom a block stands: known of those who receive and read, without a look-up a receipt.
import type { Door } from "@parley/protocol";
import { upTo } from "@parley/runtime";
import { LRUCache } from "lru-cache";
import { findAll, type HistoryStore } from "../keep/store.ts";

export interface Blocks {
  /** Those who have blocked this user, and whom it has blocked. Whoever is told of it while it is read reads again. */
  of(uid: string): Promise<ReadonlySet<string>>;
  /** What was told, once the store has it. */
  take(doors: readonly Door[]): void;
  /** Forgets all: a replica that held nothing was told nothing. */
  forget(): void;
}

const usersKept = 100_000;
// A holder that lost its partition without knowing it is told nothing either.
const keptMs = 60_000;
const none: ReadonlySet<string> = new Set();

export function createBlocks(store: Pick<HistoryStore, "doors">): Blocks {
  const kept = new LRUCache<string, Promise<ReadonlySet<string>>>({ ...upTo(usersKept), ttl: keptMs });

  function read(uid: string): Promise<ReadonlySet<string>> {
    const asked = blocksOf(store, uid);
    kept.set(uid, asked);
    asked.catch(() => kept.delete(uid));
    return asked;
  }

  return {
    async of(uid) {
      for (;;) {
        const asked = kept.get(uid) ?? read(uid);
        const found = await asked;
        if (kept.peek(uid, { allowStale: true }) === asked) return found;
      }
    },
    take(doors) {
      for (const { owner, other } of doors) {
        if (other === undefined) continue;
        kept.delete(owner);
        kept.delete(other);
      }
    },
    forget: () => kept.clear(),
  };
}

/** The same as the store has it, for any replica. */
export async function blocksOf(store: Pick<HistoryStore, "doors">, uid: string): Promise<ReadonlySet<string>> {
  const [blocked, blockers] = await Promise.all([
    findAll(store.doors, "blocked_by_owner", uid, true),
    findAll(store.doors, "blocked_by_other", uid, true),
  ]);
  if (blocked.length + blockers.length === 0) return none;
  return new Set([...blocked.flatMap(({ other }) => other ?? []), ...blockers.map(({ owner }) => owner)]);
}
