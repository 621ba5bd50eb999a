// Whose lists a conversation may be in: a member document says so (`reader`) once it has a stay, so that who was invited to
// thousands of rooms, asks to be let in or is banned has lists that cost what they show. Documents of versions before do
// not say it: they are gone through until none is left, and until then lists read all of a user's.
import type { Collection } from "@parley/store";

interface Readable {
  uid: string;
  stays: readonly unknown[];
  reader?: string;
}

const pageDocuments = 250;
/** Versions before may go on for a while beside this one. */
const againMs = 60_000;
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

/** `done` has one document once all are gone through. */
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

/** Goes through all documents until none is found that lacks it; at once done where that was so before. */
export function startNotingReaders(
  { members, readersNoted, readers }: NotingParts,
  failed: (error: unknown) => void,
): { close(): Promise<void> } {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const turn = async () => {
    const missing = await noteMissing(members, () => closed).catch((error: unknown) => {
      failed(error);
      return 1;
    });
    if (closed) return;
    if (missing > 0) {
      timer = setTimeout(begin, againMs);
      return;
    }
    await readersNoted.put([{ key: doneKey, doc: { at: Date.now() } }]).catch(failed);
    readers.areNoted = true;
  };
  const begin = () => {
    running = turn();
  };
  if (!readers.areNoted) begin();
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await running;
    },
  };
}

/** Answers how many lacked it. */
async function noteMissing(members: Collection<Readable>, stopped: () => boolean): Promise<number> {
  let missing = 0;
  for (let page: string | null | undefined; page !== null && !stopped(); ) {
    const found = await members.find({ limit: pageDocuments, ...(page === undefined ? {} : { page }) });
    const lacking = found.items.filter(({ doc }) => withReader(doc) !== doc);
    missing += lacking.length;
    // One that changed meanwhile is written by who changed it.
    if (lacking.length > 0)
      await members.writeMany(
        lacking.map(({ key, doc, version }) => ({ key, doc: withReader(doc), ifVersion: version })),
      );
    page = found.next;
    // Appends come between.
    await new Promise(setImmediate);
  }
  return missing;
}

function withReader<T extends Readable>(doc: T): T {
  return doc.stays.length === 0 || doc.reader !== undefined ? doc : { ...doc, reader: doc.uid };
}
