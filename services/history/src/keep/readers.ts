// Whose lists a conversation may be in: a member document says so (`reader`) once it has a stay, so that who was invited to
// thousands of rooms, asks to be let in or is banned has lists that cost what they show. Documents of versions before do
// not say it: they are gone through until none is left, and until then lists read all of a user's. Such a version may write
// again behind that (a rolling upgrade, a rollback for a day), so each start looks anew, and for some hours now and then.
import { setTimeout as sleep } from "node:timers/promises";
import type { Collection } from "@parley/store";

interface Readable {
  uid: string;
  stays: readonly unknown[];
  reader?: string;
}

const pageDocuments = 250;
/** A look that is not urgent reads a fifth of the time. */
const restOfRead = 4;
const restAtMostMs = 250;
const doneKey = "all";

/** The collection, whose documents say it from now on. */
export function notingReaders<T extends Readable>(members: Collection<T>): Collection<T> {
  const noted = <Entry extends { doc: T }>(entry: Entry): Entry => ({ ...entry, doc: withReader(entry.doc) });
  return {
    get: (key) => members.get(key),
    getMany: (keys) => members.getMany(keys),
    insert: (key, doc) => members.insert(key, withReader(doc)),
    update: (key, doc, ifVersion) => members.update(key, withReader(doc), ifVersion),
    put: (entries) => members.put(entries.map(noted)),
    writeMany: (entries) => members.writeMany(entries.map(noted)),
    remove: (key, ifVersion) => members.remove(key, ifVersion),
    find: (query) => members.find(query),
  };
}

/** Whether all documents say it, as far as is known. */
export interface Readers {
  areNoted: boolean;
}

/** `done` has one document once all are gone through: believed until a look finds one that lacks it. */
export async function openReaders<T extends Readable>(
  members: Collection<T>,
  done: Collection<{ at: number }>,
): Promise<Readers> {
  if (await done.get(doneKey)) return { areNoted: true };
  const { items } = await members.find({ limit: 1 });
  if (items.length === 0) await done.put([{ key: doneKey, doc: { at: Date.now() } }]);
  return { areNoted: items.length === 0 };
}

export interface NotingParts {
  members: Collection<Readable>;
  readersNoted: Collection<{ at: number }>;
  readers: Readers;
}

export interface NotingPaces {
  /** after a look that found some: versions before may go on for a while beside this one */
  againMs: number;
  /** after a look that found none, for so long: replicas may be upgraded one by one */
  laterMs: number;
  laterForMs: number;
}

const usualPaces: NotingPaces = { againMs: 60_000, laterMs: 600_000, laterForMs: 6 * 3_600_000 };

/** Goes through all documents at once, again until none is found that lacks it, and then now and then for a while. */
export function startNotingReaders(
  parts: NotingParts,
  failed: (error: unknown) => void,
  paces: NotingPaces = usualPaces,
): { close(): Promise<void> } {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  /** when a look found none, of those since the last that found some */
  let noneSince: number | undefined;
  const look: Look = {
    stopped: () => closed,
    hurries: () => noneSince === undefined,
    async found() {
      noneSince = undefined;
      parts.readers.areNoted = false;
      await parts.readersNoted.remove(doneKey);
    },
  };
  const turn = async () => {
    const missing = await noteMissing(parts.members, look).catch((error: unknown) => {
      failed(error);
      return undefined;
    });
    if (closed) return;
    if (missing === 0) {
      noneSince ??= performance.now();
      await setNoted(parts).catch(failed);
      if (closed || performance.now() - noneSince >= paces.laterForMs) return;
    }
    timer = setTimeout(begin, missing === 0 ? paces.laterMs : paces.againMs);
  };
  const begin = () => {
    running = turn();
  };
  begin();
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await running;
    },
  };
}

async function setNoted({ readers, readersNoted }: NotingParts): Promise<void> {
  if (readers.areNoted) return;
  readers.areNoted = true;
  await readersNoted.put([{ key: doneKey, doc: { at: Date.now() } }]);
}

interface Look {
  stopped(): boolean;
  hurries(): boolean;
  /** Some lack it, and are about to be written. */
  found(): Promise<void>;
}

/** Answers how many lacked it. */
async function noteMissing(members: Collection<Readable>, { stopped, hurries, found }: Look): Promise<number> {
  let missing = 0;
  for (let page: string | null | undefined; page !== null && !stopped(); ) {
    const began = performance.now();
    const read = await members.find({ limit: pageDocuments, ...(page === undefined ? {} : { page }) });
    const lacking = read.items.filter(({ doc }) => withReader(doc) !== doc);
    if (lacking.length > 0) {
      if (missing === 0) await found();
      missing += lacking.length;
      // One that changed meanwhile is written by who changed it.
      await members.writeMany(
        lacking.map(({ key, doc, version }) => ({ key, doc: withReader(doc), ifVersion: version })),
      );
    }
    page = read.next;
    // Appends come between.
    if (hurries()) await new Promise(setImmediate);
    else await sleep(Math.min((performance.now() - began) * restOfRead, restAtMostMs));
  }
  return missing;
}

function withReader<T extends Readable>(doc: T): T {
  return doc.stays.length === 0 || doc.reader !== undefined ? doc : { ...doc, reader: doc.uid };
}
