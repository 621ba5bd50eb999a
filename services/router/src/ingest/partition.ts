// One ingest partition while this router holds it: its broker session, its packets handed to the verb they are for.
import {
  parseTreeTopic,
  parseUplinkTopic,
  routerClientId,
  servicesUsername,
  type TreeTopic,
  treeFilters,
  type UplinkTopic,
  type UplinkVerb,
  uplinkFilter,
} from "@parley/protocol";
import { type BrokerSession, type Logger, type ReceivedPacket, startBrokerSession, within } from "@parley/runtime";

/** Takes a packet; calls `confirm` once when nothing is left to do for it. A rejection leaves it to the next session. */
export type Take = (packet: ReceivedPacket, from: UplinkTopic, confirm: () => void) => Promise<void>;
/** By verb; `tree`: what a device with a tree published, in whatever it speaks. */
export type Takes = Record<UplinkVerb, Take> & {
  tree(packet: ReceivedPacket, found: TreeTopic): Promise<void>;
  /** what it said of itself on its native topic, beside `state` */
  treeState(clientId: string, payload: Uint8Array): void;
  /** Nothing more comes of this partition: what waits to be published is, before its session ends. */
  left(): Promise<unknown>;
};

export interface PartitionParts {
  brokerUrl: string;
  password: string;
  window: number;
  maxInFlight: number;
  /** After this process stood still: what to wait for before a packet is believed to be this router's to do. */
  afterPause(): Promise<void> | undefined;
  log: Logger;
}

export interface Partition {
  session: BrokerSession;
  /** Hands packets out from now on, those that came already first. */
  begin(takes: Takes): void;
  /** Takes nothing more, finishes what is in hand, and leaves the session to the next holder. */
  finish(): Promise<void>;
  /** The session is another's: nothing is finished, and nothing more taken. */
  cut(): Promise<void>;
}

interface Work {
  /** packets that are not confirmed */
  unconfirmed: Set<Promise<void>>;
  /** what was confirmed on arrival and is not answered */
  unanswered: Set<Promise<void>>;
}

const sessionExpirySeconds = 0xffff_ffff;
// Of one partition; deliveries that do not fit wait with their packets, which the window bounds.
const maxQueuedBytes = 16 * 1024 * 1024;
// What is not finished by then comes again at the next holder; the partition stands still meanwhile.
const finishWaitMs = 2_000;
const answersWaitMs = 250;
const sentWaitMs = 1_000;

/** Connects at once. */
export function openPartition(parts: PartitionParts, p: string): Partition {
  const log = parts.log.child({ p });
  const work: Work = { unconfirmed: new Set(), unanswered: new Set() };
  let takes: Takes | undefined;
  let closed = false;
  // In order: what came before the takes were ready, or while it is not known whose the partition is.
  const early: { packet: ReceivedPacket; ack: () => void }[] = [];

  const handOut = () => {
    if (!takes || closed) return;
    for (const { packet, ack } of early.splice(0)) take(work, takes, packet, ack, log);
  };
  // A queued session hands out packets as soon as it is connected.
  const onPacket = (packet: ReceivedPacket, ack: () => void) => {
    if (closed) return;
    const known = parts.afterPause();
    if (takes && !known && early.length === 0) return take(work, takes, packet, ack, log);
    // QoS 0 is bounded by no window: typing of a moment ago is lost.
    if (packet.qos === 1) early.push({ packet, ack });
    if (known) void known.then(handOut);
  };
  const session = startBrokerSession({
    url: parts.brokerUrl,
    clientId: routerClientId(p),
    username: servicesUsername,
    password: parts.password,
    cleanStart: false,
    sessionExpirySeconds,
    receiveMaximum: parts.window,
    maxInFlight: parts.maxInFlight,
    maxQueuedBytes,
    keepAliveSeconds: 10,
    subscriptions: [
      { topic: uplinkFilter(p), qos: 1, retainHandling: 2 },
      ...treeFilters(p).map((filter) => ({ ...filter, qos: 1 as const, retainHandling: 2 as const })),
    ],
    log,
    onPacket,
  });
  return {
    session,
    begin(ready) {
      takes = ready;
      handOut();
    },
    async finish() {
      session.stopReceiving();
      await within(finishWaitMs, Promise.all(work.unconfirmed));
      await within(answersWaitMs, Promise.all(work.unanswered));
      if (takes) await within(sentWaitMs, takes.left());
      await session.close({ graceful: true, waitMs: sentWaitMs });
      closed = true;
    },
    async cut() {
      closed = true;
      await session.close({ graceful: false });
    },
  };
}

function take(work: Work, takes: Takes, packet: ReceivedPacket, ack: () => void, log: Logger): void {
  let confirmed = false;
  const confirm = () => {
    confirmed = true;
    ack();
  };
  const doing = handTo(takes, packet, confirm);
  if (doing === undefined) {
    log.warn({ event: "topic_unknown", topic: packet.topic });
    confirm();
    return;
  }
  const open = confirmed ? work.unanswered : work.unconfirmed;
  const tracked = doing
    .catch((error: unknown) => log.warn({ event: "packet_left", topic: packet.topic, reason: String(error) }))
    .finally(() => open.delete(tracked));
  open.add(tracked);
}

/** undefined: nobody takes what came on that topic. */
function handTo(takes: Takes, packet: ReceivedPacket, confirm: () => void): Promise<void> | undefined {
  const from = parseUplinkTopic(packet.topic);
  if (from) return takes[from.verb](packet, from, confirm);
  const tree = parseTreeTopic(packet.topic);
  if (!tree) return undefined;
  // Native topics are any device's; those of others are nobody's.
  const native = tree.owner === "user" ? parseUplinkTopic(tree.topic) : undefined;
  if (native === undefined) return takes.tree(packet, tree).then(confirm);
  if (native.uid !== tree.uid || native.clientId !== tree.clientId) return undefined;
  if (native.verb === "state") takes.treeState(native.clientId, packet.payload);
  return takes[native.verb](packet, native, confirm);
}
