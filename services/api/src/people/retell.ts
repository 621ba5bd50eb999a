// Tells history again what changed lately before this start: a backup has its documents of a moment before ours.
import type { Door } from "@parley/protocol";
import type { Logger } from "@parley/runtime";
import type { Collection } from "@parley/store";
import type { History } from "../history.ts";
import type { ApiStore, PairDoc, ProfileDoc, UserDoc } from "../store.ts";
import { accountDoor, directDoor, doorsOf } from "./doors.ts";

/** Longer than a backup takes, before the latest change that is kept. */
const latelyMs = 6 * 3_600_000;
const pageDocuments = 500;
const againMs = 5_000;

interface Parts {
  store: ApiStore;
  history: History;
}

/** Goes on until history has taken all of it; a door that it has already stays as it is. */
export function startRetelling(parts: Parts, log: Logger): { close(): Promise<void> } {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  const turn = async () => {
    try {
      const { pairs, profiles, users } = parts.store;
      await retell<PairDoc>(parts, { collection: pairs, at: ({ changedAt = 0 }) => changedAt, doorsOf });
      await retell<ProfileDoc>(parts, {
        collection: profiles,
        at: ({ directVersion = 0 }) => directVersion,
        doorsOf: (profile) => [directDoor(profile)],
      });
      await retell<UserDoc>(parts, {
        collection: users,
        at: ({ accountVersion = 0 }) => accountVersion,
        doorsOf: (user) => [accountDoor(user)],
      });
    } catch (error) {
      log.info({ event: "doors_not_retold", reason: String(error) });
      if (!closed) timer = setTimeout(() => (running = turn()), againMs);
    }
  };
  const retell = async <Doc extends object>({ history }: Parts, kept: Kept<Doc>) => {
    const newest = await kept.collection.find({ index: "changed", order: "desc", limit: 1 });
    const latest = newest.items[0];
    if (!latest) return;
    const query = { index: "changed", from: kept.at(latest.doc) - latelyMs, limit: pageDocuments };
    for (let page: string | null | undefined; page !== null && !closed; ) {
      const { items, next } = await kept.collection.find({ ...query, ...(page === undefined ? {} : { page }) });
      await history.doors(items.flatMap(({ doc }) => kept.doorsOf(doc)));
      page = next;
    }
  };
  let running = turn();
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await running;
    },
  };
}

interface Kept<Doc extends object> {
  collection: Collection<Doc>;
  at(doc: Doc): number;
  doorsOf(doc: Doc): Door[];
}
