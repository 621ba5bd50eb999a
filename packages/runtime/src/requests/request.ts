// Requests over NATS and their answers: each failure says what happened, nothing is larger than the limit.
import { AppError, limits, type WireError } from "@parley/protocol";
import type { Msg, NatsConnection } from "nats";
import { natsConnected, onNatsLost, onNatsRefused } from "../connections/nats.ts";
import type { Logger } from "../process/log.ts";
import { type Replies, repliesOf } from "./replies.ts";

/**
 * no_responders: nobody serves the subject now. refused: the server lets this connection publish nothing on it. timeout, closed: the
 * outcome is unknown.
 */
export type RequestFailure = "no_responders" | "refused" | "timeout" | "closed";

/**
 * One request, answered with the bytes of the reply. Throws AppError `unavailable` with `details.reason`, a
 * RequestFailure: `timeout` after `timeoutMs`, `closed` at once when the connection is away or is lost meanwhile, `refused` at once.
 * Throws `too_large` over 512 KiB, and over what the server takes.
 */
export async function request(
  nats: NatsConnection,
  subject: string,
  payload: Uint8Array | string,
  options: { timeoutMs: number },
): Promise<Uint8Array> {
  if (!natsConnected(nats)) throw unavailable("closed");
  if (sizeOf(payload) > mostBytes(nats)) throw tooLarge(nats, "request", subject);
  return new Promise((resolve, reject) => {
    const replies = openReplies(nats);
    const reply = replies.open((message) => {
      end();
      if (message === undefined) reject(unavailable("closed"));
      else if (isNoResponders(message)) reject(unavailable("no_responders"));
      else resolve(message.data);
    });
    const forgetLost = onNatsLost(nats, () => fail("closed"));
    const forgetRefused = onNatsRefused(nats, subject, () => fail("refused"));
    const timer = setTimeout(() => fail("timeout"), options.timeoutMs);
    function end(): void {
      clearTimeout(timer);
      forgetLost();
      forgetRefused();
    }
    function fail(reason: RequestFailure, cause?: unknown): void {
      end();
      replies.forget(reply);
      reject(unavailable(reason, cause));
    }
    try {
      nats.publish(subject, payload, { reply });
    } catch (cause) {
      fail("closed", cause);
    }
  });
}

function openReplies(nats: NatsConnection): Replies {
  try {
    return repliesOf(nats);
  } catch (cause) {
    throw unavailable("closed", cause);
  }
}

// As servers say it since 2.2: nothing but a status.
function isNoResponders({ data, headers }: Msg): boolean {
  return data.byteLength === 0 && headers?.code === 503;
}

/** A request whose body and answer are JSON. Throws as `request` does, and the AppError that was answered. */
export async function requestJson<Answer>(
  nats: NatsConnection,
  subject: string,
  body: unknown,
  options: { timeoutMs: number },
): Promise<Answer> {
  return readJsonAnswer(await request(nats, subject, JSON.stringify(body), options)) as Answer;
}

/** The JSON of an answer; throws the AppError that it carries as `error`. */
export function readJsonAnswer(bytes: Uint8Array): unknown {
  const answered = parseJson(bytes) as { error?: WireError } | null;
  if (answered?.error) throw AppError.fromWire(answered.error);
  return answered;
}

/** Bytes as JSON; throws `invalid_packet`. Between services, so without the limits of a client's packet. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
  } catch (cause) {
    throw new AppError("invalid_packet", "not JSON", { cause });
  }
}

/** Something that answers requests until it is closed; close resolves when what was taken has been answered. */
export interface Answering {
  close(): Promise<void>;
}

/** What one connection has taken and not answered, all subjects together; what comes beyond is `unavailable` at once. */
export const requestsInHandMax = { count: 10_000, bytes: 64 * 1024 * 1024 } as const;

const taken = new WeakMap<NatsConnection, { count: number; bytes: number }>();

/** Requests that this connection has taken and not answered. */
export function requestsInHand(nats: NatsConnection): { count: number; bytes: number } {
  const load = taken.get(nats) ?? { count: 0, bytes: 0 };
  taken.set(nats, load);
  return load;
}

/**
 * Answers the requests on a subject, with `queue` as one of several replicas. A thrown AppError is answered as
 * `{"error":{code,message}}`; anything else as `internal`, and logged with its cause.
 */
export function answer(
  nats: NatsConnection,
  subject: string,
  queue: string | undefined,
  work: (payload: Uint8Array, message: Msg) => Uint8Array | string | Promise<Uint8Array | string>,
  log?: Logger,
): Answering {
  const inHand = new Set<Promise<void>>();
  const load = requestsInHand(nats);
  const reply = async (message: Msg) => {
    let bytes: Uint8Array | string;
    try {
      bytes = await work(message.data, message);
      if (sizeOf(bytes) > mostBytes(nats)) throw tooLarge(nats, "answer", subject);
    } catch (thrown) {
      const error = AppError.from(thrown);
      if (error.code === "internal") log?.error({ event: "request_failed", subject, err: error.cause ?? error });
      bytes = JSON.stringify({ error: shown(error) });
    }
    if (!nats.isClosed()) message.respond(bytes);
  };
  const subscription = nats.subscribe(subject, {
    ...(queue === undefined ? {} : { queue }),
    callback: (err, message) => {
      if (err) return void log?.error({ event: "subscription_failed", subject, err });
      const bytes = message.data.byteLength;
      if (load.count >= requestsInHandMax.count || load.bytes + bytes > requestsInHandMax.bytes) {
        log?.warn({ event: "request_refused", subject, reason: "too many requests in hand", ...load });
        message.respond(JSON.stringify({ error: new AppError("unavailable", "too much is asked at once").toWire() }));
        return;
      }
      load.count += 1;
      load.bytes += bytes;
      const replied = reply(message).finally(() => {
        inHand.delete(replied);
        load.count -= 1;
        load.bytes -= bytes;
      });
      inHand.add(replied);
    },
  });
  return {
    async close() {
      // Nothing new comes once the server has confirmed; while it is away nothing comes at all.
      if (natsConnected(nats)) await unlessLost(nats, subscription.drain());
      else subscription.unsubscribe();
      await Promise.all(inHand);
      if (natsConnected(nats)) await unlessLost(nats, nats.flush());
    },
  };
}

/** Answers requests whose body and answer are JSON. */
export function answerJson<Body>(
  nats: NatsConnection,
  subject: string,
  queue: string | undefined,
  work: (body: Body) => unknown,
  log?: Logger,
): Answering {
  return answer(
    nats,
    subject,
    queue,
    async (bytes) => JSON.stringify((await work(parseJson(bytes) as Body)) ?? {}),
    log,
  );
}

/** Resolves when `work` has ended, well or not, or the connection is lost. */
function unlessLost(nats: NatsConnection, work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const forget = onNatsLost(nats, resolve);
    const done = () => {
      forget();
      resolve();
    };
    work.then(done, done);
  });
}

/** What a caller is told. Why something behind this service is unavailable would read as if it were about this one. */
function shown(error: AppError): WireError {
  const { code, message, details } = error.toWire();
  return code === "unavailable" || !details ? { code, message } : { code, message, details };
}

function sizeOf(payload: Uint8Array | string): number {
  return typeof payload === "string" ? Buffer.byteLength(payload) : payload.byteLength;
}

function unavailable(reason: RequestFailure, cause?: unknown): AppError {
  return new AppError("unavailable", undefined, { cause, details: { reason } });
}

// A server of another setting than ours takes less, and what is larger would never be answered.
function mostBytes(nats: NatsConnection): number {
  return Math.min(limits.requestBytes, nats.info?.max_payload ?? limits.requestBytes);
}

function tooLarge(nats: NatsConnection, what: string, subject: string): AppError {
  const maxBytes = mostBytes(nats);
  return new AppError("too_large", `${what} on ${subject} over ${maxBytes} bytes`, { details: { maxBytes } });
}
