// The words of a broker session: what a caller gives, what it is handed, what it may ask.
import type { Logger } from "pino";

export type Subscription = {
  topic: string;
  qos: 0 | 1;
  noLocal?: boolean;
  /** 0 send retained messages, 1 only on a new subscription, 2 never (the default here). */
  retainHandling?: 0 | 1 | 2;
};

/** MQTT 5 properties a publish can carry. */
export type PublishProperties = {
  contentType?: string | undefined;
  responseTopic?: string | undefined;
  correlationData?: Uint8Array | undefined;
  /** Seconds, 0 to 2^32 - 1. */
  messageExpiryInterval?: number | undefined;
  /** In this order; names may come again. */
  userProperties?: readonly (readonly [name: string, value: string])[] | undefined;
};

export type ReceivedProperties = {
  contentType?: string;
  responseTopic?: string;
  correlationData?: Buffer;
  messageExpiryInterval?: number;
  payloadFormatIndicator?: boolean;
  userProperties?: { [name: string]: string | string[] };
  subscriptionIdentifier?: number | number[];
};

export type ReceivedPacket = {
  topic: string;
  /** A view of the bytes read from the socket: copy it to keep it for long. */
  payload: Buffer;
  qos: 0 | 1;
  dup: boolean;
  retain: boolean;
  properties: ReceivedProperties;
};

/**
 * What becomes of a QoS 1 publish that finds the queue full. `reject`: it fails at once. `wait`: it takes its place behind
 * those before it, so that it is neither lost nor overtaken; who asks for this bounds how many there can be (10,000 at most).
 */
export type WhenFull = "reject" | "wait";

/** The topics of a publish of which the broker said that nobody subscribes them (PUBACK 0x10); undefined: it said so of none. */
export type Unheard = readonly string[] | undefined;

export type BrokerSessionState = "connecting" | "connected" | "disconnected" | "taken_over";

export type BrokerSessionOptions = {
  /** `mqtt://host:port` or `mqtts://host:port`. */
  url: string;
  clientId: string;
  username?: string | undefined;
  password?: string | undefined;
  /** Holds for the first connect; a later one resumes the session unless `sessionExpirySeconds` is 0. */
  cleanStart: boolean;
  sessionExpirySeconds: number;
  /** Packets of QoS 1 the broker may have sent us without our PUBACK, 1 to 65,535. One that sends more is borne. */
  receiveMaximum: number;
  /** 0: none. The broker may overrule it. A silent broker is given up within this time. */
  keepAliveSeconds: number;
  subscriptions: readonly Subscription[];
  /** Our publishes of QoS 1 without PUBACK, where the broker's Receive Maximum is not lower. Default 1,000. */
  maxInFlight?: number | undefined;
  /** Bytes of publishes that wait for the window or the broker (`WhenFull`). Default 64 MiB. */
  maxQueuedBytes?: number | undefined;
  /** From the TCP connect to the last SUBACK. Default 10,000. */
  connectTimeoutMs?: number | undefined;
  log: Logger;
  /** Called in the order of arrival. `ack()` may come in any order; for QoS 0 it does nothing. */
  onPacket(packet: ReceivedPacket, ack: () => void): void;
  /** `reason` says why a connection ended or was refused. */
  onState?: ((state: BrokerSessionState, reason?: string) => void) | undefined;
};

export type BrokerSessionStats = {
  /** PUBLISH packets handed to `onPacket`. */
  received: number;
  /** PUBACKs written. */
  acked: number;
  /** PUBLISH packets written, resends included. */
  published: number;
  /** QoS 0 publishes dropped: not connected, the socket was full, or it is larger than the broker takes. */
  dropped: number;
  /** QoS 1 publishes sent and not yet answered. */
  inFlight: number;
  /** Received packets of this connection that wait for their PUBACK. */
  held: number;
  /** Bytes of QoS 1 publishes that were not sent yet. */
  queuedBytes: number;
};

export type BrokerSession = {
  /**
   * QoS 1: resolves at PUBACK, over reconnects; rejects with an AppError when it cannot be encoded, or by `details.reason`:
   * "refused" by the broker (see `refusalsOf`), "queue_full" (see `WhenFull`), "closed" with the session.
   * QoS 0: resolves when written or dropped. The payload must not change until then.
   */
  publish(
    topic: string,
    payload: Uint8Array,
    qos: 0 | 1,
    properties?: PublishProperties,
    whenFull?: WhenFull,
  ): Promise<void>;
  /** One payload to many topics. Settles when each of them is answered. */
  publishMany(
    topics: readonly string[],
    payload: Uint8Array,
    qos: 0 | 1,
    properties?: PublishProperties,
    whenFull?: WhenFull,
  ): Promise<Unheard>;
  /** Connected and subscribed. */
  readonly connected: boolean;
  /** Resolves when connected and subscribed, rejects when closed before. */
  whenConnected(): Promise<void>;
  /** Hands over no more packets: what still comes stays un-acked, for the next session. Acks and publishes go on. */
  stopReceiving(): void;
  /**
   * Graceful: `stopReceiving`, wait up to `waitMs` (default 0) for held acks and unanswered publishes, flush,
   * DISCONNECT. Otherwise the socket is cut. The broker keeps the session. Unanswered publishes reject.
   */
  close(how: { graceful: boolean; waitMs?: number }): Promise<void>;
  stats(): BrokerSessionStats;
};
