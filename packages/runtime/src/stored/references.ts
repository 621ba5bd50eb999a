// Follows the references to what history has stored, from JetStream: each is handed over at least once.
import { setTimeout as sleep } from "node:timers/promises";
import { type JsMsg, jetstream } from "@nats-io/jetstream";
import {
  AppError,
  deadSubject,
  isForNow,
  parseStoredSubject,
  type StoredKind,
  type StoredReference,
  type StoredReferences,
} from "@parley/protocol";
import { LRUCache } from "lru-cache";
import { type NatsConnection, natsConnected } from "../connections/nats.ts";
import { within } from "../flow/within.ts";
import type { Logger } from "../process/log.ts";
import { followConsumer } from "./consumer.ts";
import { shareProgress } from "./progress.ts";
import { SomeNotTaken } from "./some-not-taken.ts";

/** A reference, with where it was found. */
export interface FollowedReference {
  q: number;
  reference: StoredReference;
  /** place in the stream of the JetStream message that it came in */
  message: number;
}

export interface FollowReferencesOptions {
  nats: NatsConnection;
  /** name of the consumer, which the replicas of a service share, and of its dead letters (`dead.{durable}`) */
  durable: string;
  /** the subjects it follows: `streams.stored.originFilter`, or another filter of that stream */
  filter: string;
  /** Kinds of the subjects whose references are read; what another one says again is passed over. All unless said. */
  kinds?: readonly StoredKind[];
  /**
   * Takes references in the order of their partition. Rejects with an error that may pass (`isForNow`): they come
   * again, here or to another replica, for as long as it takes. Any other: they come again `maxDeliver` times, at last one by
   * one, and what still fails is dead. `SomeNotTaken` says this of some of them. What has been taken may come again: who takes it
   * must bear that.
   */
  take(found: FollowedReference[]): Promise<unknown>;
  /** Called when they come; they are handed to `take` all the same, and may come again before. */
  arrived?(found: FollowedReference[]): void;
  /** They are taken when they have been stored for so long; at once unless said. */
  holdMs?: number;
  maxDeliver?: number;
  /** Called when an entry is given up, once it is in DEAD. */
  onDead?(letter: DeadReference): void;
  /** see ConsumerOptions; ten minutes unless said */
  beginMsBack?: number;
  /** One JetStream message at a time, of all replicas together: none is taken before those ahead of it. */
  isOrdered?: boolean;
  /** How many JetStream messages are taken together; 20 unless said. As many more are fetched meanwhile. */
  batchMessages?: number;
  /** how long fewer of them wait for company; not at all unless said */
  gatherMs?: number;
  /** What a replica has in hand and does not speak of for this long goes to another one; 5 s unless said. */
  ackWaitMs?: number;
  /** pause before what failed comes again */
  retryMs?: number;
  log: Logger;
}

/** What `dead.{durable}` holds: the message itself is where it was, in history. */
export interface DeadReference {
  subject: string;
  /** absent: the JetStream message itself could not be read */
  reference?: StoredReference;
  code: string;
  message: string;
  /** unix ms */
  at: number;
}

const defaultMaxDeliver = 5;
const defaultBeginMsBack = 600_000;
const defaultRetryMs = 2_000;
const defaultBatchMessages = 20;
const fetchedTimes = 2.5;
/** of references, of 150 bytes each: what they stand for is held and taken at once */
const batchBytes = 512 * 1024;
const defaultAckWaitMs = 5_000;
/** of `ackWaitMs` */
const workingEvery = 0.4;
const closeWaitMs = 3_000;
const failingMax = 1_000;

/** Follows until closed. Close finishes what is being taken and gives back the rest, for another replica to take at once. */
export function followReferences(options: FollowReferencesOptions): { close(): Promise<void> } {
  const { nats, durable, log, retryMs = defaultRetryMs, beginMsBack = defaultBeginMsBack } = options;
  const { batchMessages = defaultBatchMessages, ackWaitMs = defaultAckWaitMs, gatherMs = 0 } = options;
  const holding = openHolding(options);
  const pace = { batchMessages, gatherMs, dueInMs: holding.dueInMs };
  const inHand = new Set<JsMsg>();
  const waiting: JsMsg[] = [];
  const progress = shareProgress({ nats, durable, inHand: () => inHand.size, log });
  const closing = new AbortController();
  let working: Promise<void> | undefined;
  const taking = openTaking(options, {
    taken: (messages) => settle(messages, "taken", (message) => message.ack()),
    again(messages, { code, message }) {
      log.warn({ event: "stored_not_taken", durable, subject: messages[0]?.subject, code, reason: message });
      settle(messages, "given back", (one) => one.nak(retryMs));
    },
  });

  async function workAll(): Promise<void> {
    // What one read of the socket brought is taken together.
    await new Promise(setImmediate);
    while (waiting.length > 0) await workBatch(await nextBatch(waiting, pace, closing.signal));
    working = undefined;
  }

  async function workBatch(all: readonly JsMsg[]): Promise<void> {
    if (closing.signal.aborted) return settle(all, "given back", (message) => message.nak());
    settle(all.filter(progress.isTaken), "taken", (message) => message.ack());
    await taking.take(all.filter((message) => inHand.has(message)));
  }

  function settle(messages: readonly JsMsg[], as: "taken" | "given back", tell: (message: JsMsg) => void): void {
    for (const message of messages) {
      inHand.delete(message);
      if (as === "taken") progress.taken(message);
      // Without NATS it comes again by itself.
      if (natsConnected(nats)) tell(message);
    }
    if (inHand.size === 0) progress.idle();
  }

  const consumer = followConsumer(
    { ...options, ackWaitMs, beginMsBack, progress, fetchedMax: Math.ceil(batchMessages * fetchedTimes) },
    (message) => {
      inHand.add(message);
      waiting.push(message);
      holding.arrived(message);
      working ??= workAll();
    },
  );
  const speaking = speakOf(nats, inHand, ackWaitMs * workingEvery);
  return {
    async close() {
      closing.abort();
      consumer.close();
      await within(closeWaitMs, Promise.resolve(working));
      progress.close();
      clearInterval(speaking);
    },
  };
}

interface Outcomes {
  taken(messages: readonly JsMsg[]): void;
  again(messages: readonly JsMsg[], error: AppError): void;
}

/** Hands a batch to `options.take`, and tells of each message what became of it: once. */
function openTaking(options: FollowReferencesOptions, { taken, again }: Outcomes) {
  const { kinds, maxDeliver = defaultMaxDeliver } = options;
  /** failures that will not pass, by the message's place in the stream */
  const failures = new LRUCache<number, number>({ max: failingMax });
  const read = (message: JsMsg) => referencesOf(message, kinds);

  /** Those of them that are to be tried one by one. */
  async function takeTogether(batch: readonly JsMsg[]): Promise<readonly JsMsg[]> {
    const failure = await failureOf(async () => options.take(batch.flatMap(read)));
    const hasFailed = ({ seq }: JsMsg) => failure !== undefined && (failure.messages?.has(seq) ?? true);
    const failed = batch.filter(hasFailed);
    taken(batch.filter((message) => !hasFailed(message)));
    if (failure === undefined || !isForNow(failure.error)) return failed;
    again(failed, failure.error);
    return [];
  }

  async function takeAlone(message: JsMsg): Promise<void> {
    const error = (await failureOf(async () => options.take(read(message))))?.error;
    if (error === undefined) return taken([message]);
    if (isForNow(error)) return again([message], error);
    const failed = (failures.get(message.seq) ?? 0) + 1;
    failures.set(message.seq, failed);
    if (failed < maxDeliver) return again([message], error);
    const unburied = await failureOf(() => buryCulprits(options, message));
    if (unburied !== undefined) return again([message], unburied.error);
    failures.delete(message.seq);
    taken([message]);
  }

  return {
    async take(batch: readonly JsMsg[]): Promise<void> {
      for (const message of batch.length > 1 ? await takeTogether(batch) : batch) await takeAlone(message);
    },
  };
}

function speakOf(nats: NatsConnection, inHand: ReadonlySet<JsMsg>, everyMs: number): NodeJS.Timeout {
  return setInterval(() => {
    if (natsConnected(nats)) for (const message of inHand) message.working();
  }, everyMs);
}

/** When what has come may be taken; whoever wants to know that it came is told. */
function openHolding({ arrived, holdMs = 0, kinds, durable, log }: FollowReferencesOptions) {
  /** unix ms */
  const dueAt = new WeakMap<JsMsg, number>();
  return {
    dueInMs: (message: JsMsg) => Math.max(0, (dueAt.get(message) ?? 0) - Date.now()),
    arrived(message: JsMsg): void {
      if (arrived === undefined && holdMs === 0) return;
      let found: FollowedReference[] = [];
      try {
        found = referencesOf(message, kinds);
      } catch (error) {
        // It is found out again when it is taken.
        log.debug({ event: "stored_not_read", durable, reason: String(error) });
      }
      if (holdMs > 0) dueAt.set(message, dueOf(message, found, holdMs));
      if (found.length > 0) arrived?.(found);
    },
  };
}

/**
 * unix ms: when the newest of them has been stored for so long; what they waited to be announced counts. A clock that is ahead makes
 * it no later than `holdMs` from when JetStream had them, and one that is ahead there no later than that from now.
 */
function dueOf({ time }: JsMsg, found: readonly FollowedReference[], holdMs: number): number {
  const newest = found.reduce((latest, { reference }) => Math.max(latest, reference.ts), 0);
  const storedAt = newest === 0 ? time.getTime() : Math.min(newest, time.getTime());
  return Math.min(storedAt, Date.now()) + holdMs;
}

interface Pace {
  batchMessages: number;
  gatherMs: number;
  /** ms until it may be taken */
  dueInMs(message: JsMsg): number;
}

/** Waits for what is due, and for company. When it is closed all that waits is a batch at once. */
async function nextBatch(waiting: JsMsg[], pace: Pace, closing: AbortSignal): Promise<JsMsg[]> {
  const { batchMessages, gatherMs, dueInMs } = pace;
  const pause = (ms: number) => sleep(ms, undefined, { signal: closing }).catch(() => undefined);
  const heldMs = dueInMs(waiting[0]!);
  if (heldMs > 0) await pause(heldMs);
  if (gatherMs > 0 && waiting.length < batchMessages) await pause(gatherMs);
  return takeBatch(waiting, batchMessages, (message) => closing.aborted || dueInMs(message) === 0);
}

/** Of two copies of a message, where the consumer was made again meanwhile, the second waits for what becomes of the first. */
function takeBatch(waiting: JsMsg[], most: number, isDue: (message: JsMsg) => boolean): JsMsg[] {
  const batch = new Map<number, JsMsg>();
  let bytes = 0;
  for (const message of waiting.slice(0, most)) {
    bytes += message.data.byteLength;
    if (batch.has(message.seq) || !isDue(message) || (bytes > batchBytes && batch.size > 0)) break;
    batch.set(message.seq, message);
  }
  return waiting.splice(0, batch.size);
}

/** Throws for a message that is none of ours. */
function referencesOf(message: JsMsg, kinds?: readonly StoredKind[]): FollowedReference[] {
  const { q, kind } = parseStoredSubject(message.subject) ?? {};
  if (q === undefined || kind === undefined)
    throw new AppError("internal", `${message.subject} is no subject of references`);
  if (kinds?.includes(kind) === false) return [];
  return message.json<StoredReferences>().entries.map((reference) => ({ q, reference, message: message.seq }));
}

/** One by one: what fails by itself goes to DEAD, the rest is taken. Throws when that cannot be done now. */
async function buryCulprits(options: FollowReferencesOptions, message: JsMsg): Promise<void> {
  const { subject } = message;
  let found: FollowedReference[];
  try {
    found = referencesOf(message, options.kinds);
  } catch (thrown) {
    return bury(options, { subject, ...wordsOf(AppError.from(thrown)) });
  }
  for (const one of found) {
    const error = (await failureOf(async () => options.take([one])))?.error;
    if (error && isForNow(error)) throw error;
    if (error) await bury(options, { subject, reference: one.reference, ...wordsOf(error) });
  }
}

async function bury({ nats, durable, onDead, log }: FollowReferencesOptions, letter: DeadReference): Promise<void> {
  log.error({ event: "dead_letter", durable, ...letter });
  await jetstream(nats).publish(deadSubject(durable), JSON.stringify(letter), { timeout: 3_000 });
  onDead?.(letter);
}

function wordsOf({ code, message, cause }: AppError): Pick<DeadReference, "code" | "message" | "at"> {
  return { code, message: cause === undefined ? message : String(cause), at: Date.now() };
}

interface Failure {
  error: AppError;
  /** of these places in the stream alone */
  messages?: ReadonlySet<number>;
}

async function failureOf(work: () => Promise<unknown>): Promise<Failure | undefined> {
  try {
    await work();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof SomeNotTaken) return { error: thrown.cause, messages: thrown.messages };
    return { error: AppError.from(thrown) };
  }
}
