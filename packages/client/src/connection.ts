// The device's MQTT connection: connected, subscribed, and connected again for ever, with jitter. Only a second program
// under the same client id, and a server that refuses to renew the session, end it: brokers say "not authorized" too
// while a part of theirs is away.
import type { Socket } from "node:net";
import { AppError, backoffMs } from "@parley/protocol";
import mqtt, { type IClientOptions, type IConnackPacket, type MqttClient } from "mqtt";
import { watchNetwork } from "./network.ts";
import { type PublishWindow, startPublishWindow } from "./publish-window.ts";
import type { Sessions } from "./session.ts";
import type { Session } from "./session-store.ts";

export type Transport = "tcp" | "ws";

export interface ConnectionOptions {
  sessions: Sessions;
  transport: Transport;
  /** the largest packet the device takes, in bytes */
  maximumPacketSize?: number | undefined;
  /** a try begins */
  onConnecting(): void;
  /** connected, and every subscription is granted */
  onSubscribed(): void;
  onLost(): void;
  /** not called while another call of it runs; must not wait for publishes */
  onPacket(topic: string, payload: Uint8Array): void;
  /** refused for good: nothing is tried any more */
  onRefused(error: AppError): void;
  /** refused again and again, and tried again all the same */
  onTrouble(error: AppError): void;
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
/** An old connection has this long to say goodbye; the new one does not wait for it. */
const farewellMs = 1_000;
const pongTimeoutMs = 3_000;
/** So many refusals of a fresh token are told to the application. */
const refusalsTold = 3;
const renewEvery = 10;
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
  readonly #unwatch: () => void;
  #client: MqttClient | undefined;
  #window: PublishWindow | undefined;
  readonly #unwanted = new Set<string>();
  #closed = false;
  /** the next try is made at once */
  #hurry = false;
  #refusals = 0;
  #takenOverAt = Number.NEGATIVE_INFINITY;
  #wake = () => {};
  #leave = () => {};

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#unwatch = watchNetwork(() => this.check());
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

  /** Leaves a topic of the session, or comes back to it; connections to come do likewise. */
  listen(topic: string, isWanted: boolean): void {
    if (isWanted) this.#unwanted.delete(topic);
    else this.#unwanted.add(topic);
    if (!this.#window) return;
    if (isWanted) this.#client?.subscribe(topic, { qos: 1 });
    else this.#client?.unsubscribe(topic);
  }

  /** Connects anew at once, with the session's present token, whatever has become of the connection there is. */
  renew(): void {
    this.#hurry = true;
    this.#leave();
    this.#wake();
  }

  /** The network may have changed: a connection that is silent for 3 s is left, and a try that waits is made now. */
  check(): void {
    const client = this.#client;
    if (!client?.connected) {
      this.renew();
      return;
    }
    const late = setTimeout(() => {
      if (this.#client === client) this.renew();
    }, pongTimeoutMs);
    client.once("packetreceive", () => clearTimeout(late));
    client.sendPing();
  }

  /** Publishes what was handed over, and ends. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unwatch();
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
      this.#hurry = false;
      this.#options.onConnecting();
      const end = await this.#try();
      this.#options.onLost();
      if (this.#closed) return;
      failures = end.subscribed ? 1 : failures + 1;
      const refusal = await this.#judge(end);
      if (refusal) return this.#options.onRefused(refusal);
      if (this.#hurry) failures = 0;
      else await this.#pause(backoffMs(failures, backoff));
    }
  }

  /** What the end of a connection means; an error when trying again is of no use. */
  async #judge({ reason, error, subscribed }: End): Promise<AppError | undefined> {
    if (error && isFinal(error)) return AppError.from(error);
    const { clientId } = this.#options.sessions.current();
    if (reason === reasons.takenOver)
      return this.#isOthers() ? new AppError("conflict", `another program has connected as ${clientId}`) : undefined;
    if (subscribed || !refusals.has(reason)) {
      if (subscribed) this.#refusals = 0;
      return undefined;
    }
    this.#refusals += 1;
    if (this.#refusals === refusalsTold)
      this.#options.onTrouble(new AppError("forbidden", `the broker refuses ${clientId}: ${error?.message}`));
    // A fresh token, once; then again from time to time.
    return this.#refusals % renewEvery === 1 ? this.#renewSession() : undefined;
  }

  /** What the HTTP API says of the session is believed: it knows, where a broker only could not ask. */
  async #renewSession(): Promise<AppError | undefined> {
    try {
      await this.#options.sessions.renew();
      return undefined;
    } catch (thrown) {
      return isFinal(thrown) ? AppError.from(thrown) : undefined;
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

  /** One connection from its beginning to its end, with a token that is still good. */
  async #try(): Promise<End> {
    try {
      const session = await this.#options.sessions.fresh();
      if (!this.#closed) return await this.#connect(session);
    } catch (thrown) {
      return { subscribed: false, error: AppError.from(thrown) };
    }
    return { subscribed: false };
  }

  #connect(session: Session): Promise<End> {
    return new Promise((resolve) => {
      const end: End = { subscribed: false };
      const client = mqtt.connect(addressOf(session, this.#options.transport), this.#connectOptions(session));
      this.#client = client;
      // A request would wait 40 ms behind the PUBACK before it. WebSockets have it set, or have none to set.
      if ("setNoDelay" in client.stream) (client.stream as Socket).setNoDelay(true);
      client.on("connect", (connack) => this.#subscribe(client, session, connack, end));
      client.on("message", (topic, payload) => {
        if (client === this.#client) this.#options.onPacket(topic, payload);
      });
      client.on("disconnect", ({ reasonCode }) => {
        if (reasonCode !== undefined) end.reason = reasonCode;
      });
      client.on("error", (error: Error & { code?: unknown }) => {
        end.error = error;
        if (typeof error.code === "number") end.reason = error.code;
      });
      const ended = () => {
        if (client !== this.#client) return;
        this.#window?.close();
        this.#window = undefined;
        this.#client = undefined;
        resolve(end);
      };
      this.#leave = () => {
        const busy = !client.connected || this.#window?.isBusy();
        ended();
        leave(client, busy ?? true);
      };
      client.once("close", () => {
        ended();
        client.end(true);
      });
    });
  }

  #connectOptions({ clientId, mqtt: { username, password } }: Session): IClientOptions {
    const { maximumPacketSize } = this.#options;
    return {
      clientId,
      username,
      password,
      ...fixedOptions,
      ...(maximumPacketSize !== undefined && { properties: { maximumPacketSize } }),
    };
  }

  #subscribe(client: MqttClient, session: Session, connack: IConnackPacket, end: End): void {
    const topics = session.topics.subscribe.filter((topic) => !this.#unwanted.has(topic));
    client.subscribe(topics, { qos: 1 }, (error, granted = []) => {
      const refused = granted.find(({ qos }) => qos >= 0x80);
      if (error || refused) {
        end.error = error ?? new Error(`no subscription to ${refused?.topic}`);
        if (client.connected) end.reason = reasons.notAuthorized;
        client.end(true);
      } else if (!this.#closed && client === this.#client) {
        end.subscribed = true;
        this.#window = startPublishWindow(client, connack.properties);
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

/** Of the HTTP API: anything else may be a part that is away, or somebody else's page in a hotel's network. */
function isFinal(thrown: unknown): boolean {
  return thrown instanceof AppError && (thrown.code === "unauthenticated" || thrown.code === "forbidden");
}

const fixedOptions: IClientOptions = {
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

// Politely where nothing is in flight, for MQTT.js waits for that; a dead link answers neither.
function leave(client: MqttClient, busy: boolean): void {
  client.end(busy);
  const late = setTimeout(() => client.stream.destroy(), farewellMs);
  (late as { unref?: () => void }).unref?.();
}

function addressOf({ mqtt: { host, port, ws } }: Session, transport: Transport): string {
  return transport === "ws" ? ws : `mqtt://${host}:${port}`;
}
