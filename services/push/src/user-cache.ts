// What is asked about users for nearly every message, remembered: also that there is nothing, which is what nearly always is so.
import { LRUCache } from "lru-cache";

export interface UserCache<T> {
  /** Of those for whom there is something. Rejects when the store cannot be asked. */
  ofUsers(uids: readonly string[]): Promise<Map<string, T>>;
  /** Something of theirs changed: they are asked about again, whatever is being read of them at this moment. */
  forget(uids: readonly string[]): void;
  clear(): void;
}

interface UserCacheOptions<T> {
  /** Those for whom there is something. */
  load(uids: readonly string[]): Promise<Map<string, T>>;
  max: number;
  /** what another replica changed is known here by then, even if nothing was heard of it */
  ttlMs: number;
}

const nothing = Symbol("nothing");

export function openUserCache<T extends object>({ load, max, ttlMs }: UserCacheOptions<T>): UserCache<T> {
  const known = new LRUCache<string, T | typeof nothing>({ max, ttl: ttlMs });
  const loading = new Map<string, Promise<T | typeof nothing>>();

  function begin(uids: readonly string[]): void {
    const all = load(uids);
    for (const uid of uids) {
      const one = all.then((found) => found.get(uid) ?? nothing);
      loading.set(uid, one);
      const settle = (found?: T | typeof nothing) => {
        if (loading.get(uid) !== one) return;
        loading.delete(uid);
        if (found !== undefined) known.set(uid, found);
      };
      one.then(settle, () => settle());
    }
  }

  return {
    async ofUsers(uids) {
      const found = new Map<string, T>();
      const missing: string[] = [];
      for (const uid of new Set(uids)) {
        const one = known.get(uid);
        if (one === undefined) missing.push(uid);
        else if (one !== nothing) found.set(uid, one);
      }
      const unasked = missing.filter((uid) => !loading.has(uid));
      if (unasked.length > 0) begin(unasked);
      const loaded = missing.map(async (uid) => [uid, await loading.get(uid)] as const);
      for (const [uid, one] of await Promise.all(loaded)) if (one !== undefined && one !== nothing) found.set(uid, one);
      return found;
    },
    forget(uids) {
      for (const uid of uids) {
        known.delete(uid);
        loading.delete(uid);
      }
    },
    clear() {
      known.clear();
      loading.clear();
    },
  };
}
