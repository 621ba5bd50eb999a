// How far the replicas that share a consumer are, told to each other when it is gone: the next one begins where it was.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { JsMsg } from "@nats-io/jetstream";
import { progressSubject, type StoredProgress } from "@parley/protocol";
import { LRUCache } from "lru-cache";
import { type NatsConnection, natsConnected } from "../connections/nats.ts";
import { within } from "../flow/within.ts";
import type { Logger } from "../process/log.ts";
import { parseJson } from "../requests/request.ts";

export interface ProgressOptions {
  nats: NatsConnection;
  /** the name of the consumer */
  durable: string;
  /** messages that this replica has in hand now */
  inHand(): number;
  log: Logger;
}

export interface Progress {
  /** This replica has taken the message. */
  taken(message: JsMsg): void;
  /** This replica has nothing in hand any more. */
  idle(): void;
  /** Did this replica take it, or another one that has told so? */
  isTaken(message: JsMsg): boolean;
  /** The stream that was made then is followed. Of another one than before everything is forgotten. */
  stream(created: string): void;
  /** The consumer says that everything up to this message of the stream was taken. */
  floor(seq: number): void;
  /**
   * The first message of the stream that some replica may not have taken; undefined when none knows. What was taken behind it
   * has been told to all, and what was in hand has been taken if that took no longer than four seconds.
   */
  gather(): Promise<number | undefined>;
  close(): void;
}

/** Of more than these the oldest are forgotten, and taken twice if the consumer is lost while one before them waits. */
const takenMax = 5_000;
const answersMs = 300;
const inHandMs = 4_000;

export function shareProgress({ nats, durable, inHand, log }: ProgressOptions): Progress {
  const subject = progressSubject(durable);
  const replica = randomUUID();
  /** place in the stream → its time, which tells it from the same place in a later stream */
  const taken = new LRUCache<number, bigint>({ max: takenMax });
  let created: string | undefined;
  let floor: number | undefined;
  let owed = false;
  let gathering: Gathering | undefined;

  function tell(): void {
    owed = inHand() > 0;
    const behind = [...taken].filter(([seq]) => seq > (floor ?? 0));
    const told: StoredProgress = {
      replica,
      ...(created === undefined ? {} : { created }),
      ...(floor === undefined ? {} : { floor }),
      taken: behind.map(([seq, ns]) => [seq, String(ns)]),
      inHand: inHand(),
    };
    if (natsConnected(nats)) nats.publish(subject, JSON.stringify(told));
  }

  function hear(told: StoredProgress): void {
    for (const [seq, ns] of told.taken) taken.set(seq, BigInt(ns));
    gathering?.hear(told);
  }

  const subscription = nats.subscribe(subject, {
    callback(error, message) {
      if (error) return log.warn({ event: "progress_subscription_failed", reason: String(error) });
      if (message.data.length === 0) return tell();
      try {
        hear(parseJson(message.data) as StoredProgress);
      } catch (thrown) {
        log.warn({ event: "progress_refused", durable, reason: String(thrown) });
      }
    },
  });

  return {
    taken: ({ seq, timestampNanos }) => taken.set(seq, timestampNanos),
    idle() {
      if (owed) tell();
    },
    isTaken: ({ seq, timestampNanos }) => taken.get(seq) === timestampNanos,
    stream(of) {
      if (created !== of) floor = undefined;
      created = of;
    },
    floor(seq) {
      floor = seq;
    },
    async gather() {
      gathering = new Gathering();
      nats.publish(subject);
      await sleep(answersMs);
      await within(inHandMs, gathering.idle());
      const floors = gathering.floorsOf(created);
      if (floor !== undefined) floors.push(floor);
      gathering = undefined;
      return floors.length === 0 ? undefined : Math.max(...floors) + 1;
    },
    close: () => subscription.unsubscribe(),
  };
}

/** What the replicas have answered to one question. */
class Gathering {
  readonly #told = new Map<string, StoredProgress>();
  readonly #idle = Promise.withResolvers<void>();
  #waiting = false;

  hear(told: StoredProgress): void {
    this.#told.set(told.replica, told);
    if (this.#waiting && this.#isIdle()) this.#idle.resolve();
  }

  /** Resolves when nobody who has answered has anything in hand. */
  idle(): Promise<void> {
    this.#waiting = true;
    if (this.#isIdle()) this.#idle.resolve();
    return this.#idle.promise;
  }

  floorsOf(created: string | undefined): number[] {
    const known = [...this.#told.values()].filter((told) => told.created === created);
    return known.flatMap(({ floor }) => floor ?? []);
  }

  #isIdle(): boolean {
    return [...this.#told.values()].every(({ inHand }) => inHand === 0);
  }
}
