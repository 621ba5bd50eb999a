// The device's MQTT connection: connected, subscribed, and connected again for ever, with jitter.
import type { Socket } from "node:net";
import { AppError } from "@parley/protocol";
import mqtt, { type IClientOptions, type IConnackPacket, type MqttClient } from "mqtt";
import { backoffMs } from "./backoff.ts";
import { type PublishWindow, startPublishWindow } from "./publish-window.ts";
import type { Session, Sessions } from "./session.ts";

export type Transport = "tcp" | "ws";

export interface ConnectionOptions {
  sessions: Sessions;
  transport: Transport;
  /** a try begins */
  onConnecting(): void;
  /** connected, and every subscription is granted */
  onSubscribed(): void;
  onLost(): void;
  /** not called while another call of it runs; must not wait for publishes */
  onPacket(topic: string, payload: Uint8Array): void;
  /** refused for good: nothing is tried any more */
  onRefused(error: AppError): void;
}

/** How one connection ended. */
interface End {
  subscribed: boolean;
  /** MQTT 5 reason code of a CONNACK or DISCONNECT, if one came */
  reason?: number;
  error?: Error;
}

const backoff = { baseMs: 500, maxMs: 30_000 };
const closeTimeoutMs = 2_000;
const takenOverAgainMs = 60_000;
const reasons = { invalidClientId: 0x85, badCredentials: 0x86, notAuthorized: 0x87, takenOver: 0x8e } as const;
/** 4 and 5 are MQTT 3.1.1's codes for the same. */
const refusals = new Set<number | undefined>([
  reasons.invalidClientId,
  reasons.badCredentials,
  reasons.notAuthorized,
  4,
  5,
]);

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #running: Promise<void>;
  #client: MqttClient | undefined;
  #window: PublishWindow | undefined;
  #closed = false;
  #everSubscribed = false;
  #takenOverAt = Number.NEGATIVE_INFINITY;
  #wake = () => {};

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** QoS 1: `done` is called at PUBACK, with an error when it was refused or the connection ended before it. */
  publish(topic: string, packet: object, done: (error?: Error & { code?: number }) => void = () => {}): void {
    if (this.#window) this.#window.publish(topic, JSON.stringify(packet), done);
    else done(new Error("not connected"));
  }

  /** QoS 0: dropped when there is no connection. */
  publishEphemeral(topic: string, packet: object): void {
    if (this.#window) this.#client?.publish(topic, JSON.stringify(packet), { qos: 0 });
  }

  /** Connects anew, with the session's present token. */
  renew(): void {
    this.#client?.end();
    this.#wake();
  }

  /** Publishes what was handed over, and ends. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    const late = setTimeout(() => this.#client?.end(true), closeTimeoutMs);
    await this.#window?.drained();
    this.#client?.end(!this.#client.connected);
    await this.#running;
    clearTimeout(late);
  }

  async #run(): Promise<void> {
    // A tick, so that whoever made us can be called.
    await Promise.resolve();
    for (let failures = 0; !this.#closed; ) {
      this.#options.onConnecting();
      const end = await this.#connectOnce();
      this.#options.onLost();
      if (this.#closed) return;
      failures = end.subscribed ? 1 : failures + 1;
      const refusal = await this.#judge(end, failures);
      if (refusal) return this.#options.onRefused(refusal);
      await this.#pause(backoffMs(failures, backoff));
    }
  }

  /** What the end of a connection means; an error when trying again is of no use. */
  async #judge({ reason, error, subscribed }: End, failures: number): Promise<AppError | undefined> {
    const { clientId } = this.#options.sessions.current();
    if (reason === reasons.takenOver)
      return this.#isOthers() ? new AppError("conflict", `another program has connected as ${clientId}`) : undefined;
    if (subscribed || !refusals.has(reason)) return undefined;
    if (!this.#everSubscribed && failures > 2)
      return new AppError("forbidden", `the broker refuses ${clientId}: ${error?.message}`);
    try {
      await this.#options.sessions.renew();
      return undefined;
    } catch (thrown) {
      const why = AppError.from(thrown);
      return why.code === "unavailable" || why.code === "rate_limited" ? undefined : why;
    }
  }

  /**
   * Taken over once, it may have been by a connection of our own that was given up and arrived late, or a server that had
   * lost sight of its devices was wrong: we come back. Whoever then takes over again is another program.
   */
  #isOthers(): boolean {
    const before = this.#takenOverAt;
    this.#takenOverAt = performance.now();
    return this.#takenOverAt - before < takenOverAgainMs;
  }

  #connectOnce(): Promise<End> {
    const session = this.#options.sessions.current();
    return new Promise((resolve) => {
      const end: End = { subscribed: false };
      const client = mqtt.connect(addressOf(session, this.#options.transport), connectOptions(session));
      this.#client = client;
      // A request would wait 40 ms behind the PUBACK before it. WebSockets have it set, or have none to set.
      if ("setNoDelay" in client.stream) (client.stream as Socket).setNoDelay(true);
      client.on("connect", (connack) => this.#subscribe(client, session, connack, end));
      client.on("message", (topic, payload) => this.#options.onPacket(topic, payload));
      client.on("disconnect", ({ reasonCode }) => {
        if (reasonCode !== undefined) end.reason = reasonCode;
      });
      client.on("error", (error: Error & { code?: unknown }) => {
        end.error = error;
        if (typeof error.code === "number") end.reason = error.code;
      });
      client.once("close", () => {
        this.#window?.close();
        this.#window = undefined;
        this.#client = undefined;
        client.end(true);
        resolve(end);
      });
    });
  }

  #subscribe(client: MqttClient, session: Session, connack: IConnackPacket, end: End): void {
    client.subscribe(session.topics.subscribe, { qos: 1 }, (error, granted = []) => {
      const refused = granted.find(({ qos }) => qos >= 0x80);
      if (error || refused) {
        end.error = error ?? new Error(`no subscription to ${refused?.topic}`);
        if (client.connected) end.reason = reasons.notAuthorized;
        client.end(true);
      } else if (!this.#closed && client === this.#client) {
        end.subscribed = true;
        this.#everSubscribed = true;
        this.#window = startPublishWindow(client, connack.properties?.receiveMaximum);
        this.#options.onSubscribed();
      }
    });
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function connectOptions({ clientId, mqtt: { username, password } }: Session): IClientOptions {
  return {
    clientId,
    username,
    password,
    protocolVersion: 5,
    // Nothing is kept for us at the broker: sync has what we missed, the outbox what is unsent.
    clean: true,
    keepalive: 30,
    connectTimeout: 10_000,
    // Each connection is a client of its own: with a fresh token, and nothing in it that would be sent twice.
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
  };
}

function addressOf({ mqtt: { host, port, ws } }: Session, transport: Transport): string {
  return transport === "ws" ? ws : `mqtt://${host}:${port}`;
}
