// Follows what history has stored: references from JetStream, their entries from history, each handed over at least once.
import { setTimeout as sleep } from "node:timers/promises";
import { type JsMsg, jetstream } from "@nats-io/jetstream";
import {
  AppError,
  deadSubject,
  errorTable,
  parseStoredSubject,
  type StoredEntry,
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
import { readStored } from "./read.ts";

export interface FollowStoredOptions {
  nats: NatsConnection;
  /** name of the consumer, which the replicas of a service share, and of its dead letters (`dead.{durable}`) */
  durable: string;
  /** the subjects it follows: `streams.stored.originFilter`, or another filter of that stream */
  filter: string;
  /** Kinds of the subjects whose references are read; what another one says again is passed over. All unless said. */
  kinds?: readonly StoredKind[];
  /** Which of the references are read; all unless said. */
  wants?(reference: StoredReference): boolean;
  /**
   * Takes entries in the order of their partition. Rejects with an error that may pass (`errorTable`, retry): they come
   * again, here or to another replica, for as long as it takes. Any other: they come again `maxDeliver` times, at last one by
   * one, and what still fails is dead. What has been taken may come again: who takes it must bear that.
   */
  take(entries: StoredEntry[]): Promise<unknown>;
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
const workingEveryMs = 2_000;
const closeWaitMs = 3_000;
const failingMax = 1_000;

/** Follows until closed. Close finishes what is being taken and gives back the rest, for another replica to take at once. */
export function followStored(options: FollowStoredOptions): { close(): Promise<void> } {
  const { nats, durable, log, retryMs = defaultRetryMs, maxDeliver = defaultMaxDeliver } = options;
  const { beginMsBack = defaultBeginMsBack, batchMessages = defaultBatchMessages, gatherMs = 0 } = options;
  const inHand = new Set<JsMsg>();
  const waiting: JsMsg[] = [];
  /** failures that will not pass, by the message's place in the stream */
  const failures = new LRUCache<number, number>({ max: failingMax });
  const readReferences = (message: JsMsg) => referencesOf(message, options.kinds);
  const progress = shareProgress({ nats, durable, inHand: () => inHand.size, log });
  let working: Promise<void> | undefined;
  let closed = false;

  async function workAll(): Promise<void> {
    // What one read of the socket brought is taken together.
    await new Promise(setImmediate);
    while (waiting.length > 0) {
      if (gatherMs > 0 && waiting.length < batchMessages && !closed) await sleep(gatherMs);
      await workBatch(takeBatch(waiting, batchMessages));
    }
    working = undefined;
  }

  async function workBatch(all: readonly JsMsg[]): Promise<void> {
    if (closed) return settle(all, "given back", (message) => message.nak());
    settle(all.filter(progress.isTaken), "taken", (message) => message.ack());
    const batch = all.filter((message) => inHand.has(message));
    if (batch.length > 1) {
      const error = await failureOf(async () => takeAll(options, batch.flatMap(readReferences)));
      if (error === undefined) return settle(batch, "taken", (message) => message.ack());
      if (mayPass(error)) return giveBack(batch, error);
    }
    for (const message of batch) await workAlone(message);
  }

  async function workAlone(message: JsMsg): Promise<void> {
    const error = await failureOf(async () => takeAll(options, readReferences(message)));
    if (error === undefined) return settle([message], "taken", () => message.ack());
    if (mayPass(error)) return giveBack([message], error);
    const failed = (failures.get(message.seq) ?? 0) + 1;
    failures.set(message.seq, failed);
    if (failed < maxDeliver) return giveBack([message], error);
    const unburied = await failureOf(() => buryCulprits(options, message));
    if (unburied !== undefined) return giveBack([message], unburied);
    failures.delete(message.seq);
    settle([message], "taken", () => message.ack());
  }

  function giveBack(messages: readonly JsMsg[], { code, message }: AppError): void {
    log.warn({ event: "stored_not_taken", durable, subject: messages[0]?.subject, code, reason: message });
    settle(messages, "given back", (one) => one.nak(retryMs));
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
    { ...options, beginMsBack, progress, fetchedMax: Math.ceil(batchMessages * fetchedTimes) },
    (message) => {
      inHand.add(message);
      waiting.push(message);
      working ??= workAll();
    },
  );
  const speaking = setInterval(() => {
    if (natsConnected(nats)) for (const message of inHand) message.working();
  }, workingEveryMs);
  return {
    async close() {
      closed = true;
      consumer.close();
      await within(closeWaitMs, Promise.resolve(working));
      progress.close();
      clearInterval(speaking);
    },
  };
}

/** Of two copies of a message, where the consumer was made again meanwhile, the second waits for what becomes of the first. */
function takeBatch(waiting: JsMsg[], most: number): JsMsg[] {
  const batch = new Map<number, JsMsg>();
  let bytes = 0;
  for (const message of waiting.slice(0, most)) {
    bytes += message.data.byteLength;
    if (batch.has(message.seq) || (bytes > batchBytes && batch.size > 0)) break;
    batch.set(message.seq, message);
  }
  return waiting.splice(0, batch.size);
}

interface Found {
  q: number;
  reference: StoredReference;
}

/** Throws for a message that is none of ours. */
function referencesOf(message: JsMsg, kinds?: readonly StoredKind[]): Found[] {
  const { q, kind } = parseStoredSubject(message.subject) ?? {};
  if (q === undefined || kind === undefined)
    throw new AppError("internal", `${message.subject} is no subject of references`);
  if (kinds?.includes(kind) === false) return [];
  return message.json<StoredReferences>().entries.map((reference) => ({ q, reference }));
}

/** Reads what is wanted, each partition's in one go, and hands it over in the order it came. */
async function takeAll(
  { nats, wants = () => true, take }: FollowStoredOptions,
  found: readonly Found[],
): Promise<void> {
  const positions = new Map<number, number[]>();
  for (const { q, reference } of found) {
    if (!wants(reference)) continue;
    const ofPartition = positions.get(q);
    if (ofPartition) ofPartition.push(reference.pos);
    else positions.set(q, [reference.pos]);
  }
  const read = await Promise.all([...positions].map(([q, wanted]) => readStored(nats, q, wanted)));
  const entries = read.flat();
  if (entries.length > 0) await take(entries);
}

/** One by one: what fails by itself goes to DEAD, the rest is taken. Throws when that cannot be done now. */
async function buryCulprits(options: FollowStoredOptions, message: JsMsg): Promise<void> {
  const { subject } = message;
  let found: Found[];
  try {
    found = referencesOf(message, options.kinds);
  } catch (thrown) {
    return bury(options, { subject, ...wordsOf(AppError.from(thrown)) });
  }
  for (const one of found) {
    const error = await failureOf(() => takeAll(options, [one]));
    if (error && mayPass(error)) throw error;
    if (error) await bury(options, { subject, reference: one.reference, ...wordsOf(error) });
  }
}

async function bury({ nats, durable, onDead, log }: FollowStoredOptions, letter: DeadReference): Promise<void> {
  log.error({ event: "dead_letter", durable, ...letter });
  await jetstream(nats).publish(deadSubject(durable), JSON.stringify(letter), { timeout: 3_000 });
  onDead?.(letter);
}

function wordsOf({ code, message, cause }: AppError): Pick<DeadReference, "code" | "message" | "at"> {
  return { code, message: cause === undefined ? message : String(cause), at: Date.now() };
}

async function failureOf(work: () => Promise<void>): Promise<AppError | undefined> {
  try {
    await work();
    return undefined;
  } catch (thrown) {
    return AppError.from(thrown);
  }
}

function mayPass({ code }: AppError): boolean {
  return errorTable[code].retry;
}
