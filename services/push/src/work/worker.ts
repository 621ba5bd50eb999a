// Works one provider's queue: batches of jobs are looked at together, each notification is sent by itself.
import { setTimeout as sleep } from "node:timers/promises";
import type { JsMsg } from "@nats-io/jetstream";
import { AppError, type PushChunk, type PushProvider } from "@parley/protocol";
import { type Logger, type NatsConnection, type Pass, within } from "@parley/runtime";
import { consumeQueue, type QueueConsumer } from "../queue/consumer.ts";
import type { Breaker } from "./breaker.ts";
import type { Prepared } from "./prepare.ts";

export interface WorkerParts {
  nats: NatsConnection;
  provider: PushProvider;
  breaker: Pick<Breaker, "waitMs" | "isTrying">;
  prepare(jobs: PushChunk["jobs"], attempt: number): Promise<Prepared[]>;
  /** Resolves when nothing of these is left to do. */
  sendJobs(prepared: readonly Prepared[], attempt: number): Promise<void>;
  pass: Pass;
  log: Logger;
}

export interface Worker {
  /** Resolves when what was being sent has an outcome; the rest goes back. */
  close(): Promise<void>;
}

/** jobs looked at together */
const batchJobs = 256;
/** notifications being sent at once; the provider's client has a bound of its own */
const sendingMax = 1_000;
/** messages of the queue that wait here to be looked at */
const waitingMax = 200;
const againMs = 2_000;
const closeWaitMs = 5_000;

interface Waiting {
  message: JsMsg;
  chunk: PushChunk;
}

export function startWorker(parts: WorkerParts): Worker {
  const { nats, provider, breaker, log } = parts;
  const waiting: Waiting[] = [];
  const closing = new AbortController();
  let working: Promise<void> | undefined;

  const queue = consumeQueue({
    nats,
    provider,
    room,
    take(message) {
      const chunk = readChunk(message, log);
      if (chunk === undefined) return queue.done(message, "taken");
      const earlyMs = (chunk.notBefore ?? 0) - Date.now();
      if (earlyMs > 0) return queue.done(message, { againMs: earlyMs });
      waiting.push({ message, chunk });
      working ??= workAll();
    },
    log,
  });
  const sending = openSending(parts, queue);

  /** A provider that is tried is given one message, and what becomes of it is waited for. */
  async function room(): Promise<number> {
    for (;;) {
      const pauseMs = breaker.waitMs();
      const isFull = waiting.length > 0 && (breaker.isTrying() || waiting.length >= waitingMax / 2);
      if (closing.signal.aborted || (pauseMs === 0 && !isFull)) return breaker.isTrying() ? 1 : waitingMax;
      if (pauseMs > 0) await sleep(pauseMs, undefined, { signal: closing.signal }).catch(() => undefined);
      else await working;
    }
  }

  async function workAll(): Promise<void> {
    // What one read of the socket brought is taken together.
    await new Promise(setImmediate);
    while (waiting.length > 0) {
      const pauseMs = breaker.waitMs();
      if (closing.signal.aborted || pauseMs > 0) giveBack(pauseMs);
      else await workBatch(takeBatch(waiting, breaker.isTrying()));
    }
    working = undefined;
  }

  function giveBack(pauseMs: number): void {
    queue.interrupt();
    for (const { message } of waiting.splice(0)) queue.done(message, { againMs: Math.ceil(pauseMs) });
  }

  async function workBatch(batch: readonly Waiting[]): Promise<void> {
    const prepared = await prepareBatch(parts, batch);
    for (const one of batch)
      if (prepared === undefined) queue.done(one.message, { againMs });
      else sending.send(one, prepared.splice(0, one.chunk.jobs.length));
    await sending.room(breaker.isTrying());
  }

  return {
    async close() {
      closing.abort();
      queue.close();
      const ended = async () => {
        await working;
        await sending.room(true);
      };
      await within(closeWaitMs, ended());
    },
  };
}

/** What is being sent, each message of the queue until nothing of it is left to do. */
function openSending({ sendJobs, provider, pass, log }: WorkerParts, queue: Pick<QueueConsumer, "done">) {
  const all = new Set<Promise<void>>();
  let jobs = 0;
  // One promise for all: each that is raced again and again keeps what waited for it until it ends.
  let ended = Promise.withResolvers<void>();

  async function send({ message, chunk }: Waiting, prepared: readonly Prepared[]): Promise<void> {
    try {
      await sendJobs(prepared, chunk.attempt);
      pass("before-push-taken");
      queue.done(message, "taken");
    } catch (error) {
      log.warn({ event: "push_not_settled", provider, reason: String(error) });
      queue.done(message, { againMs });
    }
  }

  return {
    send(one: Waiting, prepared: readonly Prepared[]): void {
      jobs += prepared.length;
      const sent = send(one, prepared).finally(() => {
        jobs -= prepared.length;
        all.delete(sent);
        ended.resolve();
        ended = Promise.withResolvers();
      });
      all.add(sent);
    },
    /** Resolves when more may be sent. `none`: when nothing is. */
    async room(none: boolean): Promise<void> {
      if (none) await Promise.all(all);
      while (jobs >= sendingMax) await ended.promise;
    },
  };
}

/** Chunks of one attempt, as late ones are judged otherwise. */
function takeBatch(waiting: Waiting[], isTrying: boolean): Waiting[] {
  const { attempt } = waiting[0]!.chunk;
  let count = 0;
  let jobs = 0;
  for (const { chunk } of waiting) {
    if (chunk.attempt !== attempt || (jobs > 0 && (isTrying || jobs + chunk.jobs.length > batchJobs))) break;
    jobs += chunk.jobs.length;
    count += 1;
  }
  return waiting.splice(0, count);
}

/** undefined: somebody who must be asked does not answer now. */
async function prepareBatch({ prepare, provider, log }: WorkerParts, batch: readonly Waiting[]) {
  try {
    const jobs = batch.flatMap(({ chunk }) => chunk.jobs);
    return await prepare(jobs, batch[0]!.chunk.attempt);
  } catch (thrown) {
    const { code, message } = AppError.from(thrown);
    log.warn({ event: "push_not_prepared", provider, code, reason: message });
    return undefined;
  }
}

/** undefined, and logged: it is no chunk of ours. */
function readChunk(message: JsMsg, log: Logger): PushChunk | undefined {
  try {
    const chunk = message.json<PushChunk>();
    const isWhole = Array.isArray(chunk.jobs) && chunk.jobs.every((job) => typeof job?.token === "string");
    if (isWhole && Number.isSafeInteger(chunk.attempt)) return chunk;
  } catch {
    // Told below, as what has no jobs.
  }
  log.error({ event: "push_chunk_refused", subject: message.subject, seq: message.seq });
  return undefined;
}
