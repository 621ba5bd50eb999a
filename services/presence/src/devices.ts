// Which device is whose, and when each was last seen: kept in the store, the latest in memory.
import { type AddressClass, isAnyClientId, uidNamedBy, uidOfClientId } from "@parley/protocol";
import { type Logger, upTo } from "@parley/runtime";
import type { Collection, Documents } from "@parley/store";
import { LRUCache } from "lru-cache";

export interface DeviceDoc {
  clientId: string;
  uid: string;
  /** unix ms */
  createdAt: number;
  lastSeen: number | null;
  /** as the user calls it */
  name?: string;
  kind?: string;
  /** where it connected from the last time */
  address?: AddressClass;
  /** it said so, and stays so until it says otherwise */
  invisible?: true;
  /** what it speaks, where it is another protocol than Parley's own */
  dialect?: string;
  /** of a device with a tree: what its session at the broker has, while it is kept for it */
  session?: TreeSession;
}

export interface TreeSession {
  filters: string[];
  /** of the tree that it was: of two the later one stays */
  version: number;
  /** it is no more */
  isOver?: true;
  username?: string;
  protocol?: number;
}

export interface Devices {
  /**
   * Is the device this user's? The first user that asks owns it; `uid:device` is nobody's but the user's that it names, and so
   * is another client id that names a user (`uidNamedBy`). Rejects when who owns it cannot be found out.
   */
  claim(clientId: string, uid: string, address?: AddressClass, dialect?: string): Promise<boolean>;
  /** May somebody have it who is no user? `isMadeUp`: it names nobody. */
  isFree(clientId: string, isMadeUp: boolean): Promise<boolean>;
  known(clientId: string): Promise<DeviceDoc | undefined>;
  /** Those of them that are known. */
  manyKnown(clientIds: readonly string[]): Promise<Map<string, DeviceDoc>>;
  /** Its session is no more: what is noted of an earlier version of its tree changes that no longer. */
  endSession(clientId: string, version: number): Promise<void>;
  /** Resolves when all that was noted is kept. */
  flush(): Promise<void>;
  ownerOf(clientId: string): Promise<string | undefined>;
  /** Kept in the background, if the device is known. */
  note(clientId: string, said: Note): void;
  /** Calls the user's device by a name, or says its kind; undefined: it is not the user's. */
  update(clientId: string, uid: string, said: Pick<Note, "name" | "kind">): Promise<DeviceDoc | undefined>;
  /** Those that are kept as invisible; who is missing is unknown or not. Rejects when the store is away. */
  areInvisible(clientIds: readonly string[]): Promise<Map<string, boolean>>;
  /**
   * Keeps which devices are invisible, as `said` tells once what is kept of them was read: of two replicas at once the later
   * word stays. Resolves with those that were kept: missing is who is unknown, or was changed meanwhile.
   */
  keepInvisible(clientIds: readonly string[], said: () => Promise<Map<string, boolean>>): Promise<Set<string>>;
  ofUser(uid: string): Promise<DeviceDoc[]>;
  /** Removes the device if it is the user's; false: it is not. */
  remove(clientId: string, uid: string): Promise<boolean>;
  /** It may have been removed by another replica: nothing more is kept of it, and it is looked up when it comes again. */
  forget(clientId: string): void;
  /** Resolves when what waited is kept. */
  close(): Promise<void>;
}

/** What is to be kept of a device: that it exists, when it was seen. */
type Note = {
  /** with it the device is made where it is not known */
  uid?: string;
  createdAt?: number;
  lastSeen?: number;
  address?: AddressClass;
  kind?: string;
  name?: string;
  dialect?: string;
  session?: TreeSession;
};

const knownDevices = 200_000;
/** What another replica removed is unknown here by then, even if nothing was heard of it. */
const knownMs = 60_000;
const waitingNotes = 200_000;
const batchNotes = 500;
const gatherMs = 50;
const retryMs = 1000;
const listLimit = 1000;

/** `userExists`: is there a user of that name? */
export async function openDevices(
  documents: Documents,
  log: Logger,
  userExists: (uid: string) => Promise<boolean>,
): Promise<Devices> {
  const kept = await documents.collection<DeviceDoc>({ name: "devices", indexes: { uid: ["uid"] } });
  const owners = new LRUCache<string, string>({ ...upTo(knownDevices), ttl: knownMs });
  const notes = openNotes(kept, log);

  return {
    ...owning({ kept, owners, notes, userExists }),
    known: async (clientId) => (await kept.get(clientId))?.doc,
    async manyKnown(clientIds) {
      const found = await kept.getMany(clientIds);
      return new Map([...found].map(([clientId, { doc }]) => [clientId, doc]));
    },
    async endSession(clientId, version) {
      notes.add(clientId, { session: { filters: [], version, isOver: true } });
      await notes.flush();
    },
    flush: notes.flush,
    note: (clientId, said) => notes.add(clientId, said),
    async areInvisible(clientIds) {
      const found = await kept.getMany(clientIds);
      return new Map([...found].map(([clientId, { doc }]) => [clientId, doc.invisible === true]));
    },
    keepInvisible: (clientIds, said) => keepInvisible(kept, clientIds, said),
    async ofUser(uid) {
      await notes.flush();
      const { items } = await kept.find({ index: "uid", equals: [uid], limit: listLimit });
      return items.map(({ doc }) => doc);
    },
    async update(clientId, uid, said) {
      // What it connected with may still wait.
      await notes.flush();
      if ((await kept.get(clientId))?.doc.uid !== uid) return undefined;
      notes.add(clientId, said);
      await notes.flush();
      return (await kept.get(clientId))?.doc;
    },
    async remove(clientId, uid) {
      await notes.flush();
      const found = await kept.get(clientId);
      if (found?.doc.uid !== uid) return false;
      owners.delete(clientId);
      return kept.remove(clientId);
    },
    forget(clientId) {
      owners.delete(clientId);
      notes.drop(clientId);
    },
    close: notes.close,
  };
}

interface OwningParts {
  kept: Collection<DeviceDoc>;
  owners: LRUCache<string, string>;
  notes: Pick<ReturnType<typeof openNotes>, "add">;
  userExists(uid: string): Promise<boolean>;
}

function owning({ kept, owners, notes, userExists }: OwningParts): Pick<Devices, "ownerOf" | "claim" | "isFree"> {
  async function ownerOf(clientId: string): Promise<string | undefined> {
    const known = owners.get(clientId);
    if (known !== undefined) return known;
    const found = (await kept.get(clientId))?.doc.uid;
    if (found !== undefined) owners.set(clientId, found);
    return found;
  }

  async function claimFirst(clientId: string, uid: string, said: Note): Promise<boolean> {
    const owner = await ownerOf(clientId);
    if (owner !== undefined) {
      if (owner === uid && Object.keys(said).length > 0) notes.add(clientId, said);
      return owner === uid;
    }
    const named = uidNamedBy(clientId);
    if (named !== undefined && named !== uid && (await userExists(named))) return false;
    if (await kept.insert(clientId, { clientId, uid, createdAt: Date.now(), lastSeen: null, ...said })) return true;
    // It was noted meanwhile, by its login as a rule: what is said now is kept as well.
    const isOwner = (await ownerOf(clientId)) === uid;
    if (isOwner && Object.keys(said).length > 0) notes.add(clientId, said);
    return isOwner;
  }

  return {
    async ownerOf(clientId) {
      // What cannot be a client id has no owner, and no store is asked about it.
      if (!isAnyClientId(clientId)) return undefined;
      return ownUidOf(clientId) ?? (await ownerOf(clientId)) ?? uidOfClientId(clientId);
    },
    async claim(clientId, uid, address, dialect) {
      const said = { ...(address === undefined ? {} : { address }), ...(dialect === undefined ? {} : { dialect }) };
      const own = ownUidOf(clientId);
      // Nobody else can ever own it: kept in the background.
      if (own === uid) {
        if (!owners.has(clientId) || dialect !== undefined)
          notes.add(clientId, { uid, createdAt: Date.now(), ...said });
        owners.set(clientId, uid);
        return true;
      }
      return own === undefined && claimFirst(clientId, uid, said);
    },
    async isFree(clientId, isMadeUp) {
      if ((await kept.get(clientId)) !== undefined) return false;
      const named = isMadeUp ? undefined : uidNamedBy(clientId);
      return named === undefined || !(await userExists(named));
    },
  };
}

/** Of `uid:device` the uid. */
function ownUidOf(clientId: string): string | undefined {
  const uid = uidOfClientId(clientId);
  return uid === clientId ? undefined : uid;
}

// Written also where nothing changes: whoever read the device before has an older word.
async function keepInvisible(
  kept: Collection<DeviceDoc>,
  clientIds: readonly string[],
  said: () => Promise<Map<string, boolean>>,
): Promise<Set<string>> {
  if (clientIds.length === 0) return new Set();
  const known = await kept.getMany(clientIds);
  const entries = [...(await said())].flatMap(([key, isInvisible]) => {
    const before = known.get(key);
    if (!before) return [];
    const { invisible: _, ...rest } = before.doc;
    return [{ key, doc: isInvisible ? { ...rest, invisible: true as const } : rest, ifVersion: before.version }];
  });
  const written = await kept.writeMany(entries);
  return new Set(entries.flatMap(({ key }, at) => (written[at] ? [key] : [])));
}

/** Notes gathered and kept many at a time; what the store refuses is tried again. */
function openNotes(kept: Collection<DeviceDoc>, log: Logger) {
  const waiting = new Map<string, Note>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  let closed = false;

  async function writeBatch(): Promise<void> {
    const batch = [...waiting].slice(0, batchNotes);
    if (batch.length === 0) return;
    const known = await kept.getMany(batch.map(([clientId]) => clientId));
    // Each by itself: another replica may have removed or changed it since it was read, and then it is read again.
    const written = await Promise.all(
      batch.map(async ([clientId, note]) => {
        const before = known.get(clientId);
        const doc = merge(clientId, before?.doc, note);
        if (!doc) return true;
        return before ? kept.update(clientId, doc, before.version) : kept.insert(clientId, doc);
      }),
    );
    for (const [i, [clientId, note]] of batch.entries())
      if (written[i] && waiting.get(clientId) === note) waiting.delete(clientId);
  }

  async function writeAll(): Promise<void> {
    while (waiting.size > 0) await writeBatch();
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const done = writing.then(writeAll);
    writing = done.catch((error: unknown) => {
      log.warn({ event: "devices_not_kept", count: waiting.size, reason: String(error) });
      if (!closed) timer ??= setTimeout(() => void flush().catch(() => undefined), retryMs);
    });
    return done;
  }

  return {
    flush,
    add(clientId: string, note: Note): void {
      if (waiting.size >= waitingNotes && !waiting.has(clientId)) return;
      const before = waiting.get(clientId);
      const later =
        before?.session && before.session.version > (note.session?.version ?? 0) ? before.session : undefined;
      waiting.set(clientId, { ...before, ...note, ...(later ? { session: later } : {}) });
      timer ??= setTimeout(() => void flush().catch(() => undefined), gatherMs);
    },
    drop: (clientId: string): void => void waiting.delete(clientId),
    async close(): Promise<void> {
      closed = true;
      await flush().catch(() => undefined);
    },
  };
}

/** The device as it is to be kept; undefined when it is unknown or unchanged. A removed one stays removed. */
function merge(clientId: string, known: DeviceDoc | undefined, note: Note): DeviceDoc | undefined {
  const { uid = known?.uid, createdAt = Date.now(), lastSeen = 0, ...said } = note;
  if (uid === undefined) return undefined;
  const before: DeviceDoc = known ?? { clientId, uid, createdAt, lastSeen: null };
  const after: DeviceDoc = { ...before, ...said, lastSeen: Math.max(before.lastSeen ?? 0, lastSeen) || null };
  if (after.name === "") delete after.name;
  if (before.session && before.session.version > (said.session?.version ?? 0)) after.session = before.session;
  const fields = ["lastSeen", "name", "kind", "address", "dialect", "session"] as const;
  return known && fields.every((field) => known[field] === after[field]) ? undefined : after;
}
