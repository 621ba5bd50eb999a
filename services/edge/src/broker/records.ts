// Which sessions outlive their connections, written down at the broker as retained packets beside the sessions themselves:
// an edge that starts learns from them what an edge before it, or one that is gone, left there.
import { writePacket } from "../packets/packets.ts";
import { type Broker, visitBroker } from "./broker.ts";

export interface SessionRecord {
  username: string | null;
  sessionExpirySeconds: number;
  connectionId: string;
}

export interface Records {
  /** A session with this device began or goes on. */
  keep(clientId: string, record: SessionRecord): void;
  /** It is over. */
  drop(clientId: string): void;
  /** It is at another edge, which keeps the record. */
  forget(clientId: string): void;
  /** The broker has one of it. */
  learn(clientId: string): void;
  /** PUBLISHes of what changed, not too many at once. `written` is told when the broker has them. */
  changes(): { packets: Buffer; written(): void };
}

/** Written at once: about a second's. What a `kill -9` keeps from being written nobody learns. */
const changesAtOnce = 5000;

const prefix = "parley/sessions/";

export function openRecords(): Records {
  /** what the broker has of this edge's */
  const known = new Set<string>();
  /** undefined: it is to be deleted */
  const changed = new Map<string, SessionRecord | undefined>();
  return {
    keep(clientId, record) {
      // Also what is known: the broker may have lost it, and the connection is another one.
      changed.set(clientId, record);
    },
    drop(clientId) {
      if (known.has(clientId) || changed.has(clientId)) changed.set(clientId, undefined);
    },
    forget(clientId) {
      known.delete(clientId);
      changed.delete(clientId);
    },
    learn: (clientId) => void known.add(clientId),
    changes() {
      const some = [...changed].slice(0, changesAtOnce);
      const packets = some.map(([clientId, record]) => writeRecord(clientId, record));
      return {
        packets: Buffer.concat(packets),
        written() {
          for (const [clientId, record] of some) {
            if (record === undefined) known.delete(clientId);
            else known.add(clientId);
            if (changed.get(clientId) === record) changed.delete(clientId);
          }
        },
      };
    },
  };
}

/** Every session that any edge wrote down; undefined when the broker does not tell. */
export function readRecords(broker: Broker, clientId: string): Promise<Map<string, SessionRecord> | undefined> {
  const records = new Map<string, SessionRecord>();
  return visitBroker(broker, clientId, {
    filter: `${prefix}#`,
    packets: Buffer.alloc(0),
    onPublish(topic, payload) {
      const found = readRecord(topic, payload);
      if (found !== undefined) records.set(...found);
    },
  }).then((heard) => (heard ? records : undefined));
}

/** Between two readings while memory is short. */
const againMs = 10_000;

/** Reads them until it has succeeded once (`first`), and later now and then (`again`). */
export function openLearning(
  read: () => Promise<Map<string, SessionRecord> | undefined>,
  onFound: (found: Map<string, SessionRecord>) => void,
): { first(): void; again(): void } {
  let startedAt = Number.NEGATIVE_INFINITY;
  let reading = false;
  let done = false;
  const learn = async (): Promise<void> => {
    reading = true;
    startedAt = performance.now();
    const found = await read();
    reading = false;
    if (found === undefined) return;
    done = true;
    onFound(found);
  };
  return {
    first: () => void (done || reading || learn()),
    again: () => void (reading || performance.now() - startedAt < againMs || learn()),
  };
}

function writeRecord(clientId: string, record: SessionRecord | undefined): Buffer {
  const topic = prefix + encodeURIComponent(clientId);
  const payload = record === undefined ? "" : JSON.stringify(record);
  return writePacket({ cmd: "publish", topic, payload, qos: 0, retain: true, dup: false }, 5);
}

function readRecord(topic: string, payload: Buffer): [clientId: string, SessionRecord] | undefined {
  try {
    const { username, sessionExpirySeconds, connectionId } = JSON.parse(payload.toString()) as SessionRecord;
    const clientId = decodeURIComponent(topic.slice(prefix.length));
    return [clientId, { username, sessionExpirySeconds, connectionId }];
  } catch {
    return undefined;
  }
}
