// A broker session over its connections: connects, connects again, keeps what was not answered.
import { AppError, backoffMs } from "@parley/protocol";
import type { IConnackPacket } from "mqtt-packet";
import { Connection, type ConnectionEnd } from "./connection.ts";
import type {
  BrokerSession,
  BrokerSessionOptions,
  BrokerSessionState,
  BrokerSessionStats,
  PublishProperties,
  Unheard,
  WhenFull,
} from "./options.ts";
import { Outbound } from "./outbound.ts";
import { checkTopic, encodeProperties } from "./properties.ts";

const DEFAULT_QUEUED_BYTES = 64 * 1024 * 1024;
/** A connection that held this long was a good one: the next failure starts the backoff anew. */
const STABLE_MS = 5_000;
const WAIT_STEP_MS = 5;
const BACKOFF = { baseMs: 50, maxMs: 5_000 };
/** A session that was, or may have been, taken over leaves its place for at least this long, and backs off from further up. */
const TAKEN_OVER_MS = 1_000;
const TAKEN_OVER_ATTEMPTS = 3;

class Session implements BrokerSession {
  readonly #options: BrokerSessionOptions;
  readonly #outbound: Outbound;
  readonly #counters = { received: 0, acked: 0, published: 0, dropped: 0 };
  #connection: Connection | undefined;
  #state: BrokerSessionState | undefined;
  #waiting: { resolve(): void; reject(error: Error): void }[] = [];
  #retry: NodeJS.Timeout | undefined;
  #attempt = 0;
  #readyAt = 0;
  #everConnected = false;
  #receiving = true;
  #closed = false;
  #closing: Promise<void> | undefined;

  constructor(options: BrokerSessionOptions) {
    this.#options = options;
    this.#outbound = new Outbound(options.maxQueuedBytes ?? DEFAULT_QUEUED_BYTES);
    this.#connect();
  }

  get connected(): boolean {
    return this.#state === "connected";
  }

  async whenConnected(): Promise<void> {
    if (this.#closed) throw closedError();
    if (this.connected) return;
    await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  publish(
    topic: string,
    payload: Uint8Array,
    qos: 0 | 1,
    properties?: PublishProperties,
    whenFull?: WhenFull,
  ): Promise<void> {
    return this.publishMany([topic], payload, qos, properties, whenFull) as Promise<unknown> as Promise<void>;
  }

  publishMany(
    topics: readonly string[],
    payload: Uint8Array,
    qos: 0 | 1,
    properties?: PublishProperties,
    whenFull?: WhenFull,
  ): Promise<Unheard> {
    let encoded: Uint8Array;
    try {
      for (const topic of topics) checkTopic(topic);
      encoded = encodeProperties(properties);
    } catch (error) {
      return Promise.reject(error);
    }
    if (qos === 1) {
      const answered = this.#outbound.add(topics, payload, encoded, whenFull);
      if (this.#outbound.sendable) this.#connection?.flushSoon();
      return answered;
    }
    for (const topic of topics) {
      if (!this.#connection?.publish(topic, payload, encoded)) this.#counters.dropped++;
    }
    return Promise.resolve(undefined);
  }

  stopReceiving(): void {
    this.#receiving = false;
  }

  stats(): BrokerSessionStats {
    const { inFlight, queuedBytes } = this.#outbound;
    return { ...this.#counters, inFlight, queuedBytes, held: this.#connection?.held ?? 0 };
  }

  close({ graceful, waitMs = 0 }: { graceful: boolean; waitMs?: number }): Promise<void> {
    this.#closing ??= this.#close(graceful, waitMs);
    return this.#closing;
  }

  async #close(graceful: boolean, waitMs: number): Promise<void> {
    this.stopReceiving();
    if (graceful) await this.#settled(waitMs);
    this.#closed = true;
    clearTimeout(this.#retry);
    const connection = this.#connection;
    if (graceful) await connection?.finish();
    else connection?.cut();
    this.#connection = undefined;
    this.#setState("disconnected", "closed");
    this.#outbound.close(closedError());
    for (const { reject } of this.#waiting.splice(0)) reject(closedError());
  }

  async #settled(waitMs: number): Promise<void> {
    const until = performance.now() + waitMs;
    while (performance.now() < until) {
      if ((this.#connection?.held ?? 0) === 0 && this.#outbound.idle) return;
      await new Promise((resolve) => setTimeout(resolve, WAIT_STEP_MS));
    }
  }

  #connect(): void {
    this.#setState("connecting");
    // A fresh session is asked for once; later connects resume it, or what was published meanwhile would be lost.
    const clean = this.#everConnected ? this.#options.sessionExpirySeconds === 0 : this.#options.cleanStart;
    const owner = {
      options: this.#options,
      outbound: this.#outbound,
      counters: this.#counters,
      receiving: () => this.#receiving,
      ready: (connack: IConnackPacket) => this.#ready(connack, clean),
      ended: (end: ConnectionEnd) => this.#ended(end),
    };
    this.#connection = new Connection(owner, clean);
  }

  #ready(connack: IConnackPacket, clean: boolean): void {
    const { log, clientId, sessionExpirySeconds } = this.#options;
    const { sessionPresent, properties } = connack;
    log.info({ event: "broker_connected", clientId, sessionPresent, receiveMaximum: properties?.receiveMaximum });
    // What the broker had queued for us is gone with it; what we published is sent again.
    if (this.#everConnected && !clean && !sessionPresent) log.warn({ event: "broker_lost_session", clientId });
    const granted = properties?.sessionExpiryInterval ?? sessionExpirySeconds;
    if (granted < sessionExpirySeconds) {
      log.warn({ event: "broker_shortens_session", clientId, sessionExpirySeconds, granted });
    }
    this.#everConnected = true;
    this.#readyAt = performance.now();
    this.#setState("connected");
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  #ended({ reason, how }: ConnectionEnd): void {
    this.#connection = undefined;
    if (this.#closed) return;
    if (this.connected && performance.now() - this.#readyAt > STABLE_MS) this.#attempt = 0;
    this.#attempt++;
    const retryMs =
      how === "failed"
        ? backoffMs(this.#attempt, BACKOFF)
        : TAKEN_OVER_MS + backoffMs(this.#attempt + TAKEN_OVER_ATTEMPTS, BACKOFF);
    const { log, clientId } = this.#options;
    const takenOver = how === "taken_over";
    const event = takenOver ? "broker_session_taken_over" : "broker_disconnected";
    log.warn({ event, clientId, reason, attempt: this.#attempt, retryMs: Math.round(retryMs) });
    this.#retry = setTimeout(() => this.#connect(), retryMs);
    this.#setState(takenOver ? "taken_over" : "disconnected", reason);
  }

  #setState(state: BrokerSessionState, reason?: string): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState?.(state, reason);
  }
}

function closedError(): AppError {
  return new AppError("unavailable", "the broker session is closed", { details: { reason: "closed" } });
}

/** Starts to connect at once and goes on for ever, until closed. Throws on a bad URL. */
export function startBrokerSession(options: BrokerSessionOptions): BrokerSession {
  const { protocol } = new URL(options.url);
  if (!["mqtt:", "mqtts:", "unix:"].includes(protocol))
    throw new AppError("internal", "the broker's URL must begin with mqtt://, mqtts:// or unix://");
  return new Session(options);
}
