// Which index is searched, which is being built, and which take what is stored now: one document that all replicas read.
import { randomBytes } from "node:crypto";
import { AppError } from "@parley/protocol";
import type { Logger } from "@parley/runtime";
import { type Collection, type SearchIndex, type Store, StoreError, wordsForm } from "@parley/store";

export interface IndexState {
  current: { name: string; builtAt: number } | null;
  building: Building | null;
}

/** An index that is not whole yet. `positions`: up to where each partition of the log is in it. */
export interface Building {
  name: string;
  begunAt: number;
  positions: number[];
  /** entries of the log that are in it, and that there were to begin with */
  done: number;
  of: number;
  /** what is stored now goes into it too, so that its end can be reached */
  isFed: boolean;
  /** the replica at work, and when it last said so (unix ms) */
  owner: string;
  aliveAt: number;
}

export interface Indexes {
  state(): Promise<IndexState>;
  /** `next` answers what the state is to be, or undefined to leave it; it is asked again where another was first. */
  change(next: (state: IndexState) => IndexState | undefined): Promise<IndexState | undefined>;
  /** Those that take what is stored now. Asked for every batch: what was stored before the answer changed is in the log. */
  fed(): Promise<SearchIndex[]>;
  /** Those that something could be found in. */
  all(): Promise<SearchIndex[]>;
  /** `isWhole` is false while the first one is built. */
  searched(): Promise<{ name: string; index: SearchIndex; isWhole: boolean }>;
  open(name: string): Promise<SearchIndex>;
  /** Removes those that are neither searched nor built. */
  removeOthers(): Promise<void>;
}

const key = "state";
const formMark = `v${wordsForm}`;

/** Says of which form it is; those before any form had none. */
export const newIndexName = () => `${randomBytes(6).toString("hex")}${formMark}`;

const nothing: IndexState = { current: null, building: null };

/** Forgets an index that is not there any more or cannot be read: it is built anew. */
export async function openIndexes(store: Store, log: Logger): Promise<Indexes> {
  const states: Collection<IndexState> = await store.documents().collection({ name: "indexes" });
  const indexes = store.searchIndexes();
  const opened = new Map<string, Promise<SearchIndex>>();
  await states.insert(key, nothing);

  async function state(): Promise<IndexState> {
    return (await states.get(key))?.doc ?? nothing;
  }

  function open(name: string): Promise<SearchIndex> {
    const known = opened.get(name);
    if (known) return known;
    const opening = indexes.open(name);
    opened.set(name, opening);
    opening.catch(() => opened.delete(name));
    return opening;
  }

  async function change(next: (state: IndexState) => IndexState | undefined): Promise<IndexState | undefined> {
    for (;;) {
      const found = await states.get(key);
      const wanted = found && next(found.doc);
      if (wanted === undefined) return undefined;
      if (await states.update(key, wanted, found!.version)) return wanted;
    }
  }

  // A file that somebody removed, that is damaged or of another form: the log has it all.
  async function isSound(name: string): Promise<boolean> {
    if (!name.endsWith(formMark) || !(await indexes.list()).includes(name)) return false;
    return open(name).then(
      () => true,
      (error: unknown) => {
        if (error instanceof StoreError && error.code === "corrupt") return false;
        throw error;
      },
    );
  }

  const { current, building } = await state();
  for (const one of [current, building]) {
    if (!one || (await isSound(one.name)) || (one === building && building.positions.length === 0)) continue;
    log.warn({ event: "index_lost", index: one.name });
    await change((now) => ({
      current: now.current?.name === one.name ? null : now.current,
      building: now.building?.name === one.name ? null : now.building,
    }));
    await indexes.drop(one.name);
  }

  return {
    state,
    open,
    change,
    async fed() {
      const { current, building } = await state();
      const names = [...(current ? [current.name] : []), ...(building?.isFed ? [building.name] : [])];
      return Promise.all(names.map(open));
    },
    async all() {
      const { current, building } = await state();
      return Promise.all([current, building].flatMap((one) => (one ? [open(one.name)] : [])));
    },
    async searched() {
      const { current, building } = await state();
      const name = (current ?? building)?.name;
      if (name === undefined) throw new AppError("unavailable", "the index is not there yet; ask again");
      return { name, index: await open(name), isWhole: current !== null };
    },
    async removeOthers() {
      // In this order: the state names an index before it is made.
      const names = await indexes.list();
      const { current, building } = await state();
      const kept = [current?.name, building?.name];
      for (const name of names) {
        if (kept.includes(name)) continue;
        opened.delete(name);
        await indexes.drop(name);
      }
    },
  };
}

/** What the store cannot do now is `unavailable`, not a bug. */
export function unavailable(thrown: unknown): unknown {
  if (!(thrown instanceof StoreError)) return thrown;
  if (thrown.code === "invalid_page") return new AppError("invalid_packet", "page is not of this query; begin again");
  return new AppError("unavailable", thrown.code === "full" ? "the store's disk is full" : undefined, {
    cause: thrown,
  });
}
