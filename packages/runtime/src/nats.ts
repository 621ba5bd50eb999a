// The connection to NATS, and requests over it whose failures say what happened.
import { AppError } from "@parley/protocol";
import { connect, errors, type Msg, type NatsConnection } from "nats";
import type { Health } from "./health.ts";
import type { Logger } from "./log.ts";
import { sayWaiting, withoutCredentials } from "./waiting.ts";

export type { Msg, NatsConnection } from "nats";

const connectedNow = new WeakMap<NatsConnection, { connected: boolean }>();

/** Connects, waiting (and saying so) until NATS is there. Later it reconnects by itself, for ever. */
export async function connectNats(options: {
  url: string;
  name: string;
  log: Logger;
  health?: Health;
}): Promise<NatsConnection> {
  const { url, name, log, health } = options;
  const waiting = sayWaiting(log, "nats", url, () => undefined);
  const nats = await connect({
    servers: url.split(","),
    name,
    maxReconnectAttempts: -1,
    waitOnFirstConnect: true,
    reconnectDelayHandler: () => 50 + Math.random() * 450,
    ignoreClusterUpdates: true,
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
    pingInterval: 10_000,
    maxPingOut: 2,
    timeout: 5000,
  });
  waiting.done();
  const state = { connected: true };
  connectedNow.set(nats, state);
  watch(nats, state, log, url).catch((error: unknown) => log.error({ event: "nats_status_failed", err: error }));
  health?.check("nats", () => state.connected || "not connected");
  return nats;
}

/** Is the connection up at this moment? */
export function natsConnected(nats: NatsConnection): boolean {
  return connectedNow.get(nats)?.connected ?? !nats.isClosed();
}

async function watch(nats: NatsConnection, state: { connected: boolean }, log: Logger, url: string): Promise<void> {
  const address = withoutCredentials(url);
  for await (const status of nats.status()) {
    if (status.type === "disconnect" && state.connected) log.warn({ event: "nats_lost", address });
    if (status.type === "reconnect") log.info({ event: "nats_reconnected", address });
    if (status.type === "error") log.warn({ event: "nats_error", reason: status.error.message });
    if (status.type === "disconnect" || status.type === "close") state.connected = false;
    if (status.type === "reconnect") state.connected = true;
  }
}

/**
 * One request. Throws AppError `unavailable` with `details.reason`: `no_responders` (nobody serves the subject now),
 * `timeout` (no answer in `timeoutMs`; the work may have been done) or `closed` (no connection; nothing was sent).
 */
export async function request(
  nats: NatsConnection,
  subject: string,
  payload: Uint8Array | string,
  options: { timeoutMs: number },
): Promise<Uint8Array> {
  if (!natsConnected(nats)) throw unavailable(subject, "closed", undefined);
  try {
    const message = await nats.request(subject, payload, { timeout: options.timeoutMs });
    return message.data;
  } catch (error) {
    throw unavailable(subject, failureOf(error), error);
  }
}

/** What was asked for on a subject is answered by `answerer`; its failure is answered as `{"error":{code,message}}`. */
export function answer(
  nats: NatsConnection,
  subject: string,
  queue: string | undefined,
  answerer: (payload: Uint8Array, message: Msg) => Uint8Array | string | Promise<Uint8Array | string>,
  log?: Logger,
): { close(): Promise<void> } {
  const inHand = new Set<Promise<void>>();
  const reply = async (message: Msg) => {
    let bytes: Uint8Array | string;
    try {
      bytes = await answerer(message.data, message);
    } catch (thrown) {
      const error = AppError.from(thrown);
      if (error.code === "internal") log?.error({ event: "request_failed", subject, err: thrown });
      bytes = JSON.stringify({ error: error.toWire() });
    }
    if (!nats.isClosed()) message.respond(bytes);
  };
  const subscription = nats.subscribe(subject, {
    ...(queue === undefined ? {} : { queue }),
    callback: (error, message) => {
      if (error) return void log?.error({ event: "subscription_failed", subject, err: error });
      const work = reply(message).finally(() => inHand.delete(work));
      inHand.add(work);
    },
  });
  return {
    async close() {
      if (nats.isClosed()) return;
      await subscription.drain().catch(() => undefined);
      await Promise.allSettled(inHand);
    },
  };
}

export type RequestFailure = "no_responders" | "timeout" | "closed";

function failureOf(error: unknown): RequestFailure {
  if (error instanceof errors.NoRespondersError) return "no_responders";
  if (error instanceof errors.RequestError && error.isNoResponders()) return "no_responders";
  if (error instanceof errors.TimeoutError) return "timeout";
  return "closed";
}

function unavailable(subject: string, reason: RequestFailure, cause: unknown): AppError {
  return new AppError("unavailable", undefined, { cause, details: { reason, subject } });
}
