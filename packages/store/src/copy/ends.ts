// Opens both ends of a copy, service by service, and refuses what must not be copied before anything is written.
import { derivedServices } from "../derived.ts";
import { engineOf, listServices } from "../engines.ts";
import { openStore, openUnchecked } from "../open-store.ts";
import type { Store } from "../store.ts";
import { StoreError } from "../store-error.ts";
import { type BlobPair, type BlobPlaces, openBlobEnds } from "./blob-ends.ts";
import { lengthOf } from "./copy-pair.ts";
import { type CopyMark, markCollection, readMark, writeMark } from "./mark.ts";

/** One service's part of both stores. */
export type Pair = { service: string; from: Store; to: Store };

export type Ends = {
  pairs: Pair[];
  /** undefined: there are none, or they stay where they are. */
  blobs: BlobPair | undefined;
  resumed: boolean;
  finish(): Promise<void>;
  close(): Promise<void>;
};

export type EndsOptions = {
  from: string;
  to: string;
  /** How many conversation partitions a log has. */
  partitions: number;
  /** undefined: blobs stay where they are. */
  blobs?: BlobPlaces | undefined;
};

/** Throws StoreError; its message says which end it is about. */
export async function openEnds({ from, to, partitions, blobs: places }: EndsOptions): Promise<Ends> {
  const opened: { close(): Promise<void> }[] = [];
  const close = async () => void (await Promise.all(opened.splice(0).map((store) => store.close())));
  const keep = async (store: Promise<Store>) => {
    opened.push(await store);
    return store;
  };
  try {
    const services = (await about("FROM", () => listServices(from))).filter((service) => !derivedServices.has(service));
    const there = await about("TO", () => listServices(to));
    const source = await engineOf(from).identityOf(from);
    if (source === (await engineOf(to).identityOf(to)))
      throw new StoreError("invalid_url", `FROM and TO are the same store: ${source}`);
    if (services.length === 0) throw new StoreError("invalid_url", `FROM: ${source} holds no store of Parley's`);
    const sources = new Map<string, Store>();
    for (const service of services) {
      sources.set(service, await about("FROM", () => keep(openSource(from, service, partitions))));
    }
    const resumed = await about("TO", () => checkTarget(to, there, source, partitions));
    const blobs = places && (await openBlobEnds({ from, to, places, resumed }));
    if (blobs) opened.push(blobs.from, blobs.to);
    const pairs: Pair[] = [];
    for (const [service, store] of sources) {
      const facts = await store.facts();
      const target = await about("TO", () => keep(openUnchecked(to, { service, lockWaitMs: 0, facts })));
      pairs.push({ service, from: store, to: target });
    }
    const mark: CopyMark = { from: source, begunAt: Date.now(), doneAt: null };
    await markAll(pairs, mark);
    return { pairs, blobs, resumed, finish: () => markAll(pairs, { ...mark, doneAt: Date.now() }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

// Of a log in more partitions than are read, something would be missing and never missed.
async function openSource(url: string, service: string, partitions: number): Promise<Store> {
  const store = await openStore(url, { service, lockWaitMs: 0 });
  const { conversationPartitions: stored = partitions } = await store.facts();
  if (stored === partitions) return store;
  await store.close();
  const message = `${service} was written with conversationPartitions ${stored}, this Parley has ${partitions}`;
  throw new StoreError("mismatch", message);
}

async function markAll(pairs: readonly Pair[], mark: CopyMark): Promise<void> {
  for (const { to } of pairs) await writeMark(to.documents(), mark);
}

/** true: it holds the beginning of this copy. Throws if it holds anything else. */
async function checkTarget(
  url: string,
  services: readonly string[],
  source: string,
  partitions: number,
): Promise<boolean> {
  const marks: CopyMark[] = [];
  for (const service of services) {
    const store = await openUnchecked(url, { service, lockWaitMs: 0 });
    try {
      const mark = await readMark(store.documents());
      if (mark) marks.push(mark);
      else if (await holdsAnything(store, partitions)) throw taken(`it holds data of ${service} already`);
    } finally {
      await store.close();
    }
  }
  const other = marks.find(({ from }) => from !== source);
  if (other) throw taken(`it holds a copy of ${other.from}`);
  const done = marks.length > 0 && marks.every(({ doneAt }) => doneAt !== null) ? marks[0] : undefined;
  if (done) throw taken(`it holds a finished copy of FROM, of ${new Date(done.doneAt ?? 0).toISOString()}`);
  return marks.length > 0;
}

function taken(why: string): StoreError {
  return new StoreError("duplicate_key", `${why}; a copy goes into an empty store`);
}

async function holdsAnything(store: Store, partitions: number): Promise<boolean> {
  const documents = store.documents();
  for (const definition of await documents.definitions()) {
    if (definition.name === markCollection) continue;
    const { items } = await (await documents.collection(definition)).find({ limit: 1 });
    if (items.length > 0) return true;
  }
  return (await lengthOf(store.log(), partitions)) > 0;
}

async function about<T>(end: "FROM" | "TO", work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause;
    const { code, details } = cause;
    const message =
      code === "locked"
        ? `${details.path}: a running Parley, or another copy, holds it: stop that first`
        : cause.message;
    throw new StoreError(code, `${end}: ${message}`, { cause, details });
  }
}
