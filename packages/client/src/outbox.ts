// What is on its way from this device: which message is sent when, as a state machine without I/O.
import { AppError, backoffMs, doubledMs, type ErrorCode, isForNow } from "@parley/protocol";

/** A message as the application handed it in. `prev` is added when it is sent. */
export interface OutgoingMessage {
  id: string;
  conv: string;
  packet: { id: string; to: string; content: { type: string; [key: string]: unknown }; [key: string]: unknown };
}

interface Entry {
  message: OutgoingMessage;
  /** `storing`: its store has not kept it yet, and it does not go out before */
  state: "storing" | "waiting" | "sent";
  /** unix ms: a sent message is sent again then, a waiting one not before */
  dueAt: number;
  /** how often it was sent and not answered: each of these may still be stored */
  copies: number;
  /** refused for good, and believed once no other copy can be stored any more */
  refused: boolean;
  attempts: number;
  /** counts over all sends: which of two was sent first */
  turn: number;
  /** refused as out_of_order: waits until one before it is settled */
  waitsForOthers: boolean;
  /** the predecessor is settled and yet unknown to the server: goes without `prev` */
  withoutPrev: boolean;
}

export interface OutboxOptions {
  /** sent and not yet acknowledged, all conversations together */
  window?: number;
  /** how long to wait for an ack before the first resend */
  ackTimeoutMs?: number;
  random?: () => number;
  /** messages it takes; what a store had kept is taken in any case */
  maxUnsent?: number;
}

/** `settled`: it is out of the outbox, and no copy of it will be stored. */
export interface Nacked {
  settled: boolean;
}

const defaults = { window: 100, ackTimeoutMs: 10_000, random: Math.random, maxUnsent: 10_000 };
const maxTimeoutMs = 60_000;

/** Time is handed in; every method answers what there is to do and does none of it. */
export class Outbox {
  readonly #options: Required<OutboxOptions>;
  readonly #queues = new Map<string, Entry[]>();
  readonly #entries = new Map<string, Entry>();
  readonly #lastAcked = new Map<string, string>();
  #inFlight = 0;
  #turn = 0;

  constructor(options: OutboxOptions = {}) {
    this.#options = { ...defaults, ...options };
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Throws `rate_limited` when it is full. */
  checkRoom(): void {
    if (this.size < this.#options.maxUnsent) return;
    throw new AppError("rate_limited", `${this.size} messages wait to be sent; send this one later`);
  }

  /** The message with this id that is in. */
  find(id: string): OutgoingMessage | undefined {
    return this.#entries.get(id)?.message;
  }

  /** Takes a message in, as `storing` until `stored` is called; false when one with that id is in already. */
  add(message: OutgoingMessage, state: "storing" | "waiting" = "waiting"): boolean {
    if (this.#entries.has(message.id)) return false;
    const fresh = { dueAt: 0, copies: 0, refused: false, attempts: 0, turn: 0, waitsForOthers: false };
    const entry: Entry = { message, state, ...fresh, withoutPrev: false };
    this.#entries.set(message.id, entry);
    const queue = this.#queues.get(message.conv);
    if (queue) queue.push(entry);
    else this.#queues.set(message.conv, [entry]);
    return true;
  }

  /** Its store has kept it: it may go out. */
  stored(id: string): void {
    const entry = this.#entries.get(id);
    if (entry?.state === "storing") entry.state = "waiting";
  }

  /** Takes out a message that has never been sent; false, and nothing happens, when it may have been. */
  drop(id: string): boolean {
    const entry = this.#entries.get(id);
    if (entry?.turn !== 0) return false;
    this.#settle(entry);
    return true;
  }

  /** All that are in, in the order in which they came. */
  messages(): OutgoingMessage[] {
    return [...this.#entries.values()].map(({ message }) => message);
  }

  /** The packets to publish now, in order; they count as sent from here on. */
  due(now: number): object[] {
    const packets: object[] = [];
    for (const [conv, queue] of this.#queues) {
      let prev = this.#lastAcked.get(conv);
      for (const entry of queue) {
        if (this.#isHeld(entry, now)) break;
        if (entry.state === "waiting" || entry.dueAt <= now) packets.push(this.#send(entry, prev, now));
        prev = entry.message.id;
      }
    }
    return packets;
  }

  /** When `due` has something to say next (unix ms), if nothing else happens. */
  nextDue(): number | undefined {
    let next: number | undefined;
    for (const queue of this.#queues.values())
      for (const entry of queue) {
        if (entry.waitsForOthers || entry.state === "storing") break;
        if (entry.dueAt > 0) next = Math.min(next ?? entry.dueAt, entry.dueAt);
        if (entry.state === "waiting") break;
      }
    return next;
  }

  /** Stored. False when it is not (or no longer) one of ours. */
  acked(id: string): boolean {
    const entry = this.#entries.get(id);
    if (!entry) return false;
    this.#lastAcked.set(entry.message.conv, id);
    this.#settle(entry);
    return true;
  }

  /** Refused: settled for good, or to be sent again, not before `retryAfterMs`. Undefined when it is not ours. */
  nacked(id: string, code: ErrorCode, now: number, retryAfterMs = 0): Nacked | undefined {
    const entry = this.#entries.get(id);
    if (!entry) return undefined;
    entry.copies = Math.max(0, entry.copies - 1);
    if (!isForNow({ code })) {
      // A copy that is still on its way may be stored, for example by a room that has its sender back by then.
      entry.refused = entry.copies > 0;
      if (!entry.refused) this.#settle(entry);
      return { settled: !entry.refused };
    }
    this.#hold(entry);
    if (code === "out_of_order") {
      const queue = this.#queues.get(entry.message.conv) ?? [];
      const first = queue[0] === entry;
      Object.assign(entry, { withoutPrev: first, waitsForOthers: !first, dueAt: 0 });
      for (const before of queue.slice(0, queue.indexOf(entry))) this.#sendLostAgain(before, entry, now);
    } else {
      entry.dueAt = now + Math.max(retryAfterMs, this.#backoff(entry));
    }
    return { settled: false };
  }

  /** The connection is gone: all that was sent is to be sent again, in order, when there is a new one. */
  disconnected(): void {
    for (const entry of this.#entries.values()) {
      this.#hold(entry);
      Object.assign(entry, { dueAt: 0, attempts: 0, waitsForOthers: false });
    }
  }

  /** Neither this one nor those behind it may go now. */
  #isHeld(entry: Entry, now: number): boolean {
    if (entry.state === "sent") return false;
    if (entry.state === "storing") return true;
    return entry.waitsForOthers || entry.dueAt > now || this.#inFlight >= this.#options.window;
  }

  #send(entry: Entry, prev: string | undefined, now: number): object {
    if (entry.state === "waiting") this.#inFlight += 1;
    // Answers that did not come within the time limit do not come any more: the answer to this copy is the last one.
    if (entry.state === "sent" && entry.refused) entry.copies = 0;
    entry.state = "sent";
    entry.copies += 1;
    entry.attempts += 1;
    this.#turn += 1;
    entry.turn = this.#turn;
    entry.dueAt = now + doubledMs(entry.attempts, { baseMs: this.#options.ackTimeoutMs, maxMs: maxTimeoutMs });
    return prev === undefined || entry.withoutPrev ? entry.message.packet : { ...entry.message.packet, prev };
  }

  // The server takes a device's packets in order: what was sent before one that it refused as out of order, and is not
  // settled, was lost on the way (a broker that was killed), and nobody will answer it.
  #sendLostAgain(before: Entry, refused: Entry, now: number): void {
    if (before.state !== "sent" || before.turn > refused.turn) return;
    this.#hold(before);
    before.dueAt = before.attempts < 3 ? 0 : now + this.#backoff(before);
  }

  #backoff({ attempts }: Entry): number {
    return backoffMs(attempts, { baseMs: 500, maxMs: 30_000 }, this.#options.random);
  }

  #hold(entry: Entry): void {
    if (entry.state === "sent") this.#inFlight -= 1;
    if (entry.state === "sent") entry.state = "waiting";
  }

  #settle(entry: Entry): void {
    this.#hold(entry);
    const { id, conv } = entry.message;
    const queue = this.#queues.get(conv) ?? [];
    queue.splice(queue.indexOf(entry), 1);
    for (const other of queue) other.waitsForOthers = false;
    if (queue.length === 0) this.#queues.delete(conv);
    this.#entries.delete(id);
  }
}
