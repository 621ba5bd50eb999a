// What goes out on one broker session, to people and devices.
import {
  AppError,
  type Channel,
  isSessionEnd,
  type JsonObject,
  parseDownlinkTopic,
  type Recipients,
  topicsOf,
} from "@parley/protocol";
import {
  type BrokerSession,
  type Logger,
  type PublishProperties,
  type Refusal,
  refusalsOf,
  type Unheard,
} from "@parley/runtime";
import { LRUCache } from "lru-cache";
import { type Direct, throughBroker } from "../direct/direct.ts";
import { openUnheard, type UnheardTopics } from "./unheard.ts";

/**
 * Takes its place behind what was sent before, at once. Resolves when the broker has every copy or goes on refusing one, or
 * devices have confirmed what went past it. Rejects only when the session ended.
 */
export type SendKept = (packet: Uint8Array, to: Recipients, read?: () => JsonObject) => Promise<unknown>;

export interface Send {
  /** What the path sends: whoever does holds a packet that is counted, so that waiting is bounded. */
  kept: SendKept;
  /** QoS 1, once: rejects when the queue is full or the broker refuses it. */
  once(packet: Uint8Array, to: Recipients, properties?: PublishProperties): Promise<unknown>;
  /** QoS 0: lost when the broker does not read. */
  moment(packet: Uint8Array, to: Recipients): Promise<unknown>;
  /** Nothing more is sent: what is kept back goes out. Resolves when the broker has answered. */
  release(): Promise<unknown>;
}

type Session = Pick<BrokerSession, "publishMany">;

export interface OfferMore {
  /** of a request that is answered */
  correlationData?: Uint8Array | undefined;
  /** what the packet says, where that is known */
  read?: (() => JsonObject) | undefined;
}

/** Those of the recipients that have a tree of their own: handed a packet behind what was handed on before. */
export interface TreeRecipients {
  offer(packet: Uint8Array, to: Recipients, channel: Channel, more?: OfferMore): void;
  /** Has the user a connected device with a tree? */
  has(uid: string): boolean;
}

const topicsInTroubleMax = 10_000;
const quotaExceeded = 0x97;

/** Of all sessions of a router. */
export function openUnheardOf(trees: Pick<TreeRecipients, "has">): UnheardTopics {
  return openUnheard({
    // Where nobody at all is connected a native device may come that asks for nothing.
    isQuiet(topic) {
      const heardBy = parseDownlinkTopic(topic);
      return heardBy?.channel === "m" && trees.has(heardBy.uid);
    },
  });
}

export interface SendOptions {
  /** which all sessions of a router share */
  unheard?: UnheardTopics;
  /** which all sessions of a router share: what goes past the broker */
  direct?: Direct;
  giveUpMs?: number;
  pauseMs?: number;
}

/** A topic that is refused for `giveUpMs` is left alone until the broker takes it: what is stored is had by sync. */
export function createSend(
  session: Session,
  trees: TreeRecipients,
  log: Logger,
  { unheard = openUnheardOf(trees), direct = throughBroker, giveUpMs = 10_000, pauseMs = 200 }: SendOptions = {},
): Send {
  const refusedSince = new LRUCache<string, number>({ max: topicsInTroubleMax, ttl: giveUpMs * 3 });

  function mayPass({ topic, final }: Refusal): boolean {
    if (final) return false;
    const now = performance.now();
    const since = refusedSince.get(topic) ?? now;
    refusedSince.set(topic, since);
    return now - since < giveUpMs;
  }

  // As a rule the broker takes every copy, and this is one promise.
  function publishKept(topics: readonly string[], payload: Uint8Array): Promise<Unheard> {
    return session.publishMany(topics, payload, 1, undefined, "wait").then(
      (found) => {
        if (refusedSince.size > 0) forgetTaken(refusedSince, topics, []);
        if (found) unheard.note(found);
        return found;
      },
      (thrown: unknown) => publishAgain(topics, payload, refusedOf(thrown, topics, log)),
    );
  }

  async function publishAgain(
    topics: readonly string[],
    payload: Uint8Array,
    refused: readonly Refusal[],
  ): Promise<undefined> {
    forgetTaken(refusedSince, topics, refused);
    const left = refused.filter(mayPass).map(({ topic }) => topic);
    if (left.length < refused.length) {
      const [first] = refused;
      log.warn({ event: "delivery_refused", topics: refused.length - left.length, reasonCode: first?.reasonCode });
    }
    if (left.length === 0) return undefined;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    await publishKept(left, payload);
    return undefined;
  }

  return {
    kept(packet, to, read) {
      trees.offer(packet, to, "kept", { read });
      const { topics, elsewhere } = unheard.keepBack(topicsOf(to, "kept"), packet, publishKept);
      const sent = direct.send(topics, packet, publishKept);
      const full = unheard.isFull() ? unheard.answered() : undefined;
      return full || elsewhere ? Promise.all([sent, elsewhere, full]) : sent;
    },
    once(packet, to, properties) {
      trees.offer(packet, to, "kept", { correlationData: properties?.correlationData });
      return session.publishMany(topicsOf(to, "kept"), packet, 1, properties);
    },
    moment(packet, to) {
      trees.offer(packet, to, "moment");
      return session.publishMany(topicsOf(to, "moment"), packet, 0);
    },
    release: () => unheard.release(publishKept),
  };
}

/** What the broker refused of it. Throws when the session ended. */
function refusedOf(thrown: unknown, topics: readonly string[], log: Logger): readonly Refusal[] {
  const error = AppError.from(thrown);
  if (isSessionEnd(error)) throw error;
  const refused = refusalsOf(error);
  if (refused.length > 0) return refused;
  if (error.details?.reason === "queue_full")
    return topics.map((topic) => ({ topic, reasonCode: quotaExceeded, final: false }));
  log.warn({ event: "delivery_impossible", code: error.code, reason: error.message });
  return [];
}

function forgetTaken(
  refusedSince: LRUCache<string, number>,
  topics: readonly string[],
  refused: readonly Refusal[],
): void {
  const still = new Set(refused.map(({ topic }) => topic));
  for (const topic of topics) if (!still.has(topic)) refusedSince.delete(topic);
}
