// The ingest partitions this router holds: one broker session each, its packets handed to the verb they are for.
import {
  AppError,
  parseUplinkTopic,
  routerClientId,
  type UplinkTopic,
  type UplinkVerb,
  uplinkFilter,
} from "@parley/protocol";
import {
  type BrokerSession,
  type Logger,
  type ReceivedPacket,
  type ReleaseReason,
  sayWaiting,
  startBrokerSession,
  type Waiting,
} from "@parley/runtime";

/** Takes a packet; calls `confirm` once when nothing is left to do for it. A rejection leaves it to the next session. */
export type Take = (packet: ReceivedPacket, topic: UplinkTopic, confirm: () => void) => void | Promise<void>;
export type Verbs = Record<UplinkVerb, Take>;

export interface Ingest {
  acquire(p: string): Promise<void>;
  release(p: string, reason: ReleaseReason): Promise<void>;
  /** Publishes on any session that is connected. Rejects when there is none. */
  publishMany(topics: readonly string[], payload: Uint8Array, qos?: 0 | 1): Promise<void>;
  /** False when no session has been connected for a while: the broker is away from here. */
  alive(): boolean;
}

export interface IngestParts {
  brokerUrl: string;
  password: string;
  window: number;
  maxInFlight: number;
  /** What to do with the packets of a partition; called once an acquisition. */
  verbsOf(p: string, session: BrokerSession): Promise<Verbs> | Verbs;
  released(p: string): Promise<void>;
  log: Logger;
}

const sessionExpirySeconds = 0xffff_ffff;
const connectWaitMs = 5_000;
const finishWaitMs = 5_000;
const brokerGraceMs = 3_000;

interface HeldPartition {
  session: BrokerSession;
  inHand: Set<Promise<void>>;
  /** undefined until the partition's verbs are ready: what comes before waits in `early`, in order */
  verbs: Verbs | undefined;
  early: { packet: ReceivedPacket; ack: () => void }[];
}

export function createIngest(parts: IngestParts): Ingest {
  const held = new Map<string, HeldPartition>();
  let connectedAt = performance.now();
  let waiting: Waiting | undefined;

  async function acquire(p: string): Promise<void> {
    const partition = openPartition(parts, p);
    held.set(p, partition);
    waiting ??= sayWaiting(parts.log, "broker", parts.brokerUrl, () => undefined);
    try {
      await withTimeout(
        partition.session.whenConnected(),
        connectWaitMs,
        "the broker did not take the session in time",
      );
      waiting?.done();
      waiting = undefined;
      partition.verbs = await parts.verbsOf(p, partition.session);
    } catch (error) {
      held.delete(p);
      await partition.session.close({ graceful: false });
      throw error;
    }
    for (const { packet, ack } of partition.early.splice(0)) take(partition, partition.verbs, packet, ack, parts.log);
  }

  async function release(p: string, reason: ReleaseReason): Promise<void> {
    const partition = held.get(p);
    if (!partition) return;
    const { session, inHand } = partition;
    if (reason === "lost") {
      held.delete(p);
      return session.close({ graceful: false });
    }
    session.stopReceiving();
    await withTimeout(Promise.all(inHand), finishWaitMs, "").catch(() => undefined);
    await session.close({ graceful: true, waitMs: 1_000 });
    held.delete(p);
    await parts.released(p);
  }

  const sessions = () => [...held.values()].map(({ session }) => session);
  return {
    acquire,
    release,
    async publishMany(topics, payload, qos = 1) {
      const session = sessions().find(({ connected }) => connected);
      if (!session) throw new AppError("unavailable", "no session with the broker");
      await session.publishMany(topics, payload, qos);
    },
    alive() {
      const now = performance.now();
      if (held.size === 0 || sessions().some(({ connected }) => connected)) connectedAt = now;
      return now - connectedAt < brokerGraceMs;
    },
  };
}

// A queued session hands out packets as soon as it is connected.
function openPartition(parts: IngestParts, p: string): HeldPartition {
  const log = parts.log.child({ p });
  const session = startBrokerSession({
    url: parts.brokerUrl,
    clientId: routerClientId(p),
    username: "parley",
    password: parts.password,
    cleanStart: false,
    sessionExpirySeconds,
    receiveMaximum: parts.window,
    maxInFlight: parts.maxInFlight,
    keepAliveSeconds: 10,
    subscriptions: [{ topic: uplinkFilter(p), qos: 1, retainHandling: 2 }],
    log,
    onPacket(packet, ack) {
      if (partition.verbs) take(partition, partition.verbs, packet, ack, log);
      else partition.early.push({ packet, ack });
    },
  });
  const partition: HeldPartition = { session, inHand: new Set(), verbs: undefined, early: [] };
  return partition;
}

function take({ inHand }: HeldPartition, verbs: Verbs, packet: ReceivedPacket, ack: () => void, log: Logger): void {
  const topic = parseUplinkTopic(packet.topic);
  if (!topic) {
    log.warn({ event: "topic_unknown", topic: packet.topic });
    ack();
    return;
  }
  const work = verbs[topic.verb](packet, topic, ack);
  if (!work) return;
  const tracked = work
    .catch((error: unknown) => log.warn({ event: "packet_left", topic: packet.topic, reason: String(error) }))
    .finally(() => inHand.delete(tracked));
  inHand.add(tracked);
}

async function withTimeout<T>(work: Promise<T>, ms: number, reason: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(reason)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
