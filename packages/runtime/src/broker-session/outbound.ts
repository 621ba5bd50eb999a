// Publishes of QoS 1: queued in order, in flight within the broker's window, sent again in order after a reconnect.
import { AppError } from "@parley/protocol";
import type { Unheard, WhenFull } from "./options.ts";
import { ReasonCode } from "./reason-codes.ts";
import { type Refusal, refusal, refusalError } from "./refusals.ts";
import { publishBytes, type WriteBuffer } from "./write-buffer.ts";

const MAX_PACKET_ID = 65_535;
/** A window of at least this many is filled up again a quarter at a time: a write of its own for each PUBACK costs more. */
const WIDE_WINDOW = 100;
const REFILL_AT = 0.75;
/** What a topic costs in memory besides its characters. */
const ENTRY_BYTES = 32;
/** Publishes that wait although the queue is over its bytes. Whoever asks for that bounds them; this is the net. */
const OVERDUE_MAX = 10_000;

/** One payload to one or many topics; settled when each was answered. */
type Job = {
  topics: readonly string[];
  nextTopic: number;
  payload: Uint8Array;
  properties: Uint8Array;
  bytes: number;
  /** It was taken although the queue was full. */
  overdue: boolean;
  unanswered: number;
  refused: Refusal[];
  /** topics that nobody subscribes; undefined: none */
  unheard: string[] | undefined;
  resolve(unheard: Unheard): void;
  reject(error: Error): void;
  next: Job | undefined;
};

type InFlight = { id: number; topic: string; job: Job; onThisConnection: boolean };

/** What the broker of this connection takes. */
export type BrokerLimits = { window: number; maximumPacketBytes: number; maximumQos: number };

const NOTHING: BrokerLimits = { window: 0, maximumPacketBytes: 0, maximumQos: 0 };

export class Outbound {
  readonly #maxQueuedBytes: number;
  readonly #inFlight = new Map<number, InFlight>();
  #first: Job | undefined;
  #last: Job | undefined;
  #queuedBytes = 0;
  #overdue = 0;
  #lastId = 0;
  #limits = NOTHING;
  /** Sent on this connection and not answered. */
  #unanswered = 0;
  /** Sent on an earlier connection, to be sent again on this one, first to last. */
  #resend: InFlight[] = [];
  #resendAt = 0;
  #resumed = false;
  #closedBy: Error | undefined;

  constructor(maxQueuedBytes: number) {
    this.#maxQueuedBytes = maxQueuedBytes;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  get idle(): boolean {
    return this.#inFlight.size === 0 && !this.#first;
  }

  /** There is something to send and the window is open. */
  get sendable(): boolean {
    return (
      this.#unanswered < this.#limits.window && (this.#first !== undefined || this.#resendAt < this.#resend.length)
    );
  }

  /** As `sendable`, and so much that a write is worth it. */
  get worthwhile(): boolean {
    const { window } = this.#limits;
    return this.sendable && (window < WIDE_WINDOW || this.#unanswered <= window * REFILL_AT);
  }

  add(
    topics: readonly string[],
    payload: Uint8Array,
    properties: Uint8Array,
    whenFull: WhenFull = "reject",
  ): Promise<Unheard> {
    if (this.#closedBy) return Promise.reject(this.#closedBy);
    if (topics.length === 0) return Promise.resolve(undefined);
    let bytes = payload.length + properties.length;
    for (const topic of topics) bytes += topic.length + ENTRY_BYTES;
    const overdue = this.#queuedBytes + bytes > this.#maxQueuedBytes;
    if (overdue && (whenFull === "reject" || this.#overdue >= OVERDUE_MAX)) {
      return Promise.reject(queueFull(this.#maxQueuedBytes));
    }
    return new Promise((resolve, reject) => {
      const job = { topics, nextTopic: 0, payload, properties, bytes, overdue, unanswered: topics.length };
      this.#queue({ ...job, refused: [], unheard: undefined, resolve, reject, next: undefined });
    });
  }

  /** A connection is open. Resumed: what was sent before keeps its id and carries DUP; else it is sent as new. */
  start(limits: BrokerLimits, resumed: boolean): void {
    this.#limits = limits;
    this.#resumed = resumed;
    this.#unanswered = 0;
    this.#resend = [...this.#inFlight.values()];
    this.#resendAt = 0;
    for (const sent of this.#resend) sent.onThisConnection = false;
  }

  /** The connection is gone. */
  stop(): void {
    this.#limits = NOTHING;
  }

  /** Writes what the window lets through, up to about `budgetBytes`; answers how many packets. */
  pump(buffer: WriteBuffer, budgetBytes: number): number {
    let packets = 0;
    while (this.sendable && buffer.length < budgetBytes) {
      if (this.#resendAt < this.#resend.length) packets += this.#sendAgain(this.#resend[this.#resendAt++]!, buffer);
      else packets += this.#sendNext(this.#first!, buffer);
    }
    return packets;
  }

  /** The broker takes a packet of this size: one that is larger would end the connection. */
  fits(topic: string, payload: Uint8Array, properties: Uint8Array, qos: 0 | 1): boolean {
    const { maximumPacketBytes } = this.#limits;
    const atMost = payload.length + properties.length + topic.length * 3 + 16;
    return atMost <= maximumPacketBytes || publishBytes({ topic, payload, properties, qos }) <= maximumPacketBytes;
  }

  /** A PUBACK. An id that is not in flight is left alone. */
  answered(id: number, reasonCode: number): void {
    const sent = this.#inFlight.get(id);
    if (!sent) return;
    this.#inFlight.delete(id);
    if (sent.onThisConnection) this.#unanswered--;
    if (reasonCode === ReasonCode.noMatchingSubscribers) noteUnheard(sent.job, sent.topic);
    settle(sent.job, reasonCode < 0x80 ? undefined : refusal(sent.topic, reasonCode));
  }

  /** A packet id that no publish in flight has. */
  freeId(): number {
    do this.#lastId = this.#lastId === MAX_PACKET_ID ? 1 : this.#lastId + 1;
    while (this.#inFlight.has(this.#lastId));
    return this.#lastId;
  }

  /** The session is closed: rejects what was not answered. */
  close(error: Error): void {
    this.#closedBy = error;
    for (const { job } of this.#inFlight.values()) job.reject(error);
    for (let job = this.#first; job; job = job.next) job.reject(error);
    this.#inFlight.clear();
    this.#first = undefined;
    this.#last = undefined;
    this.#queuedBytes = 0;
    this.#overdue = 0;
    this.stop();
  }

  #queue(job: Job): void {
    if (this.#last) this.#last.next = job;
    else this.#first = job;
    this.#last = job;
    this.#queuedBytes += job.bytes;
    if (job.overdue) this.#overdue++;
  }

  #sendNext(job: Job, buffer: WriteBuffer): number {
    const topic = job.topics[job.nextTopic++]!;
    if (job.nextTopic === job.topics.length) {
      this.#first = job.next;
      if (!job.next) this.#last = undefined;
      this.#queuedBytes -= job.bytes;
      if (job.overdue) this.#overdue--;
    }
    const sent: InFlight = { id: this.freeId(), topic, job, onThisConnection: false };
    this.#inFlight.set(sent.id, sent);
    return this.#send(sent, false, buffer);
  }

  #sendAgain(sent: InFlight, buffer: WriteBuffer): number {
    return this.#inFlight.get(sent.id) === sent ? this.#send(sent, this.#resumed, buffer) : 0;
  }

  #send(sent: InFlight, dup: boolean, buffer: WriteBuffer): number {
    const { id, topic, job } = sent;
    const { payload, properties } = job;
    let never: Refusal | undefined;
    if (this.#limits.maximumQos < 1) never = refusal(topic, ReasonCode.qosNotSupported);
    else if (!this.fits(topic, payload, properties, 1)) never = refusal(topic, ReasonCode.packetTooLarge);
    if (never) {
      this.#inFlight.delete(id);
      settle(job, never);
      return 0;
    }
    sent.onThisConnection = true;
    this.#unanswered++;
    buffer.publish({ topic, payload, properties, qos: 1, dup, id });
    return 1;
  }
}

function noteUnheard(job: Job, topic: string): void {
  if (job.unheard) job.unheard.push(topic);
  else job.unheard = [topic];
}

function settle(job: Job, refused: Refusal | undefined): void {
  if (refused) job.refused.push(refused);
  if (--job.unanswered > 0) return;
  if (job.refused.length > 0) job.reject(refusalError(job.refused));
  else job.resolve(job.unheard);
}

function queueFull(maxQueuedBytes: number): AppError {
  return new AppError("unavailable", `the queue of publishes to the broker is full (${maxQueuedBytes} bytes)`, {
    details: { reason: "queue_full" },
  });
}
