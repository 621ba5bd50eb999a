// Users who may send nothing, wherever: known to every replica that holds a partition, without a look-up a message.
import type { AppendOutcome, Door } from "@parley/protocol";
import type { HistoryStore } from "../keep/store.ts";
import { refusal } from "./outcome.ts";
import { accountKey } from "./refused.ts";

export interface Silenced {
  /** Why nothing of this user is stored. */
  refuse(uid: string): AppendOutcome | undefined;
  /** What was told of accounts, once the store has it. */
  take(doors: readonly Door[]): void;
  /** What the store has, for a replica that held nothing and so was told nothing; who asks meanwhile shares it. */
  load(): Promise<void>;
  /** What the store has of these, for a holder that may not have been told. */
  look(uids: ReadonlySet<string>): Promise<void>;
}

const pageDoors = 1_000;

export function createSilenced({ doors }: Pick<HistoryStore, "doors">): Silenced {
  const known = new Map<string, Door>();
  let loading: Promise<void> | undefined;
  /** those of whom something was told while the store is read */
  const toldMeanwhile = new Set<string>();

  function take(told: readonly Door[]): void {
    for (const door of told) {
      if (door.account === undefined) continue;
      if (door.version < (known.get(door.owner)?.version ?? 0)) continue;
      if (loading) toldMeanwhile.add(door.owner);
      // One that silences nobody is kept while a page that was read before it may still come.
      if (!isSilent(door) && !loading) known.delete(door.owner);
      else known.set(door.owner, door);
    }
  }

  async function readAll(): Promise<void> {
    toldMeanwhile.clear();
    const found: Door[] = [];
    for (let page: string | null | undefined; page !== null; ) {
      const query = { index: "account", from: "disabled", to: "erasing", limit: pageDoors };
      const { items, next } = await doors.find(page === undefined ? query : { ...query, page });
      found.push(...items.map(({ doc }) => doc));
      page = next;
    }
    // Only once all is read: a partition that is held meanwhile goes by what was known.
    const owners = new Set(found.map(({ owner }) => owner));
    for (const uid of known.keys()) if (!owners.has(uid) && !toldMeanwhile.has(uid)) known.delete(uid);
    take(found);
  }

  return {
    refuse(uid) {
      const door = known.get(uid);
      return door && isSilent(door) ? refusal("forbidden", "the account is disabled") : undefined;
    },
    take,
    load() {
      loading ??= readAll().finally(() => {
        loading = undefined;
        for (const [uid, door] of known) if (!isSilent(door)) known.delete(uid);
      });
      return loading;
    },
    async look(uids) {
      const found = await doors.getMany([...uids].map(accountKey));
      take([...found.values()].map(({ doc }) => doc));
    },
  };
}

// Who is gone is in no room, and of direct conversations the doors are read.
function isSilent({ account }: Door): boolean {
  return account === "disabled" || account === "erasing";
}
