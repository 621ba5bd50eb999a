// How far each device with a tree has each conversation: one document for the two, written many at a time, only forward.
import { type Cursors, type CursorsReply, parseConv, parseMark, wasHere } from "@parley/protocol";
import type { Collection, Documents } from "@parley/store";

interface CursorDoc {
  clientId: string;
  /** or a mark in one, or `wasHere` */
  conv: string;
  seq: number;
  /** of a conversation that is named by its users: those */
  a?: string;
  b?: string;
}

/** Everything rejects while the store is away. */
export interface KeptCursors {
  /** Resolves when they are kept; those of devices that are not known are not. */
  keep(devices: readonly { clientId: string; cursors: Cursors }[]): Promise<void>;
  /** A page of one device's. */
  of(clientId: string, page: string | undefined): Promise<CursorsReply>;
  removeDevice(clientId: string): Promise<void>;
  /** Of conversations that are named by this user, of any device. */
  removeUser(uid: string): Promise<void>;
}

const batchRows = 500;
const pageRows = 2_000;
/** Another writer came first so often: then it is given up, and the router keeps it again. */
const attemptsMax = 20;

/** `known`: those of the devices that are kept. */
export async function openCursors(
  documents: Documents,
  known: (clientIds: readonly string[]) => Promise<ReadonlySet<string>>,
): Promise<KeptCursors> {
  const kept = await documents.collection<CursorDoc>({
    name: "cursors",
    indexes: { device: ["clientId"], a: ["a"], b: ["b"] },
  });
  let waiting = new Map<string, CursorDoc>();
  let writing: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;

  async function write(batch: ReadonlyMap<string, CursorDoc>): Promise<void> {
    const rows = [...batch];
    for (let from = 0; from < rows.length; from += batchRows) await writeRows(rows.slice(from, from + batchRows));
  }

  async function writeRows(rows: readonly (readonly [string, CursorDoc])[]): Promise<void> {
    const clientIds = [...new Set(rows.map(([, { clientId }]) => clientId))];
    const before = await known(clientIds);
    await writeForward(
      kept,
      rows.filter(([, { clientId }]) => before.has(clientId)),
    );
    // Removed meanwhile: maybe before what was just written was there to be removed.
    const after = await known([...before]);
    for (const clientId of before) if (!after.has(clientId)) await removeAll(kept, "device", clientId);
  }

  return {
    async keep(devices) {
      for (const { clientId, cursors } of devices)
        for (const [conv, seq] of Object.entries(cursors)) {
          const key = `${clientId} ${conv}`;
          const later = Math.max(seq, waiting.get(key)?.seq ?? 0);
          waiting.set(key, { clientId, conv, seq: later, ...usersOf(conv) });
        }
      // What comes while one batch is written is the next one.
      next ??= writing.then(() => {
        const batch = waiting;
        waiting = new Map();
        next = undefined;
        const written = write(batch);
        writing = written.catch(() => undefined);
        return written;
      });
      return next;
    },
    async of(clientId, page) {
      const query = { index: "device", equals: [clientId], limit: pageRows, ...(page === undefined ? {} : { page }) };
      const found = await kept.find(query);
      const read = found.items.filter(({ doc }) => doc.conv !== wasHere);
      const cursors = Object.fromEntries(read.map(({ doc }) => [doc.conv, doc.seq]));
      const isNew = page === undefined && found.items.length === 0;
      return { cursors: isNew ? null : cursors, next: found.next };
    },
    removeDevice: (clientId) => removeAll(kept, "device", clientId),
    async removeUser(uid) {
      await removeAll(kept, "a", uid);
      await removeAll(kept, "b", uid);
    },
  };
}

// Another replica may have written meanwhile: those are read again.
async function writeForward(
  kept: Collection<CursorDoc>,
  rows: readonly (readonly [string, CursorDoc])[],
  attempt = 0,
): Promise<void> {
  if (rows.length === 0) return;
  if (attempt === attemptsMax) throw new Error("the cursors are changed again and again at the same time");
  const known = await kept.getMany(rows.map(([key]) => key));
  const later = rows.filter(([key, { seq }]) => seq > (known.get(key)?.doc.seq ?? -1));
  const entries = later.map(([key, doc]) => {
    const before = known.get(key);
    return { key, doc, ...(before ? { ifVersion: before.version } : {}) };
  });
  const written = entries.length === 0 ? [] : await kept.writeMany(entries);
  await writeForward(
    kept,
    later.filter((_, at) => !written[at]),
    attempt + 1,
  );
}

async function removeAll(kept: Collection<CursorDoc>, index: string, value: string): Promise<void> {
  for (;;) {
    const { items } = await kept.find({ index, equals: [value], limit: batchRows });
    if (items.length === 0) return;
    await Promise.all(items.map(({ key }) => kept.remove(key)));
  }
}

function usersOf(conv: string): Pick<CursorDoc, "a" | "b"> {
  const named = parseConv(parseMark(conv)?.conv ?? conv);
  if (named?.kind === "p2p") return { a: named.a, b: named.b };
  return named?.kind === "dev" ? { a: named.from, b: named.uid } : {};
}
