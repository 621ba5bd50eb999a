// Which sessions outlive their connections, written down at the broker as retained packets beside the sessions themselves:
// an edge that starts learns from them what an edge before it, or one that is gone, left there.
import { hash } from "node:crypto";
import { writePacket } from "../packets/packets.ts";
import { type Broker, visitBroker } from "./broker.ts";

export interface SessionRecord {
  username: string | null;
  sessionExpirySeconds: number;
  connectionId: string;
}

export interface FoundRecord extends SessionRecord {
  clientId: string;
}

export interface Records {
  /** A session with this device began, or goes on by another connection than those written down before. */
  keep(clientId: string, record: SessionRecord): void;
  /** It is over, or went on by a connection after the named: what was written down of it, or of that connection, goes. */
  drop(clientId: string, connectionId?: string): void;
  /** This connection's is another edge's, which sees to it. */
  forget(clientId: string, connectionId: string): void;
  /** The broker has one of this connection. */
  learn(clientId: string, connectionId: string): void;
  /** An edge of a version before wrote this one down under `topic`: it is written as it is now, and that one goes. */
  renew(topic: string, found: FoundRecord | undefined): void;
  /** The broker has one of this session, whichever connection's. */
  isWritten(clientId: string): boolean;
  /** Whose the broker has, as far as is known here. */
  connectionsOf(clientId: string): readonly string[];
  /** PUBLISHes of what changed, not too many at once. `written` is told when the broker has them. */
  changes(): { packets: Buffer; written(): void };
}

/** Written at once: about a second's. What a `kill -9` keeps from being written nobody learns. */
const changesAtOnce = 5000;

const prefix = "parley/sessions/";
/** The broker looks for a page, and the edge takes it up, in one turn each: with 200,000 sessions of 800 records. */
const pages = Array.from({ length: 256 }, (_, page) => page.toString(16).padStart(2, "0"));
const pageMost = 1_000;
const pageOf = (clientId: string): string => hash("md5", clientId, "hex").slice(0, 2);

/** Each connection has a topic of its own, so that no edge writes over, or deletes, what another one has just written. */
export function openRecords(): Records {
  const known = openKnown();
  /** by topic; undefined: it is to be deleted */
  const changed = new Map<string, SessionRecord | undefined>();
  const remove = (clientId: string, connectionId: string): void => {
    known.delete(clientId, connectionId);
    changed.set(topicOf(clientId, connectionId), undefined);
  };
  return {
    keep(clientId, record) {
      const before = known.of(clientId);
      if (before.length === 1 && before[0] === record.connectionId) return;
      // The new one first: whoever is killed between the two leaves one too many.
      changed.set(topicOf(clientId, record.connectionId), record);
      for (const one of before) if (one !== record.connectionId) remove(clientId, one);
      known.add(clientId, record.connectionId);
    },
    drop(clientId, connectionId) {
      for (const one of known.of(clientId))
        if (connectionId === undefined || one === connectionId) remove(clientId, one);
    },
    forget: known.delete,
    learn: known.add,
    renew(topic, found) {
      if (found !== undefined) {
        const { clientId, ...record } = found;
        changed.set(topicOf(clientId, record.connectionId), record);
      }
      changed.set(topic, undefined);
    },
    isWritten: (clientId) => known.of(clientId).some((one) => !changed.has(topicOf(clientId, one))),
    connectionsOf: known.of,
    changes() {
      const some = first(changed, changesAtOnce);
      return {
        packets: Buffer.concat(some.map(([topic, record]) => writeRecord(topic, record))),
        written() {
          for (const [topic, record] of some) if (changed.get(topic) === record) changed.delete(topic);
        },
      };
    },
  };
}

function first<K, V>(map: Map<K, V>, count: number): [K, V][] {
  const some: [K, V][] = [];
  for (const one of map) {
    if (some.length === count) break;
    some.push(one);
  }
  return some;
}

/** Connections by client id: nearly always one. */
function openKnown() {
  const known = new Map<string, readonly string[]>();
  const of = (clientId: string): readonly string[] => known.get(clientId) ?? [];
  return {
    of,
    add(clientId: string, connectionId: string): void {
      if (!of(clientId).includes(connectionId)) known.set(clientId, [...of(clientId), connectionId]);
    },
    delete(clientId: string, connectionId: string): void {
      const others = of(clientId).filter((one) => one !== connectionId);
      if (others.length > 0) known.set(clientId, others);
      else known.delete(clientId);
    },
  };
}

/** What edges wrote down, a page after the other; false when the broker does not tell. */
export function readRecords(
  broker: Broker,
  clientId: string,
  { records, onPage }: { records: Pick<Records, "renew">; onPage: (found: readonly FoundRecord[]) => void },
): Promise<boolean> {
  let page: FoundRecord[] = [];
  const tell = (): void => {
    onPage(page);
    page = [];
  };
  return visitBroker(broker, clientId, {
    // Those of a version before stand all on one level.
    filters: [`${prefix}+`, ...pages.map((one) => `${prefix}${one}/#`)],
    packets: Buffer.alloc(0),
    onPublish(topic, payload) {
      if (payload.length === 0) return;
      const found = readRecord(topic, payload);
      if (!topic.includes("/", prefix.length)) records.renew(topic, found);
      if (found !== undefined) page.push(found);
      if (page.length === pageMost) tell();
    },
    onHeard: tell,
  });
}

/** Between two readings while memory is short. */
const againMs = 10_000;

/** Reads them until it has succeeded once (`first`), and later now and then (`again`). */
export function openLearning(read: () => Promise<boolean>): { first(): void; again(): void; isDone(): boolean } {
  let startedAt = Number.NEGATIVE_INFINITY;
  let reading = false;
  let done = false;
  const learn = async (): Promise<void> => {
    reading = true;
    startedAt = performance.now();
    if (await read()) done = true;
    reading = false;
  };
  return {
    first: () => void (done || reading || learn()),
    again: () => void (reading || performance.now() - startedAt < againMs || learn()),
    isDone: () => done,
  };
}

/** A client id of one level; a connection's name is of letters, digits, `-` and `_`. */
function topicOf(clientId: string, connectionId: string): string {
  return `${prefix}${pageOf(clientId)}/${encodeURIComponent(clientId)}/${connectionId}`;
}

function writeRecord(topic: string, record: SessionRecord | undefined): Buffer {
  const payload = record === undefined ? "" : JSON.stringify(record);
  return writePacket({ cmd: "publish", topic, payload, qos: 0, retain: true, dup: false }, 5);
}

function readRecord(topic: string, payload: Buffer): FoundRecord | undefined {
  try {
    const clientId = topic.slice(prefix.length).split("/").slice(0, 2).at(-1) ?? "";
    const { username, sessionExpirySeconds, connectionId } = JSON.parse(payload.toString()) as SessionRecord;
    return { clientId: decodeURIComponent(clientId), username, sessionExpirySeconds, connectionId };
  } catch {
    return undefined;
  }
}
