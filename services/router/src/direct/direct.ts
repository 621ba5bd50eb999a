// Copies that reach devices past the broker: the edge of this machine writes them to those it has, and says which of them have to go
// through the broker after all. Of each topic copies go one way at a time, so that none overtakes another.
import { type CopiesAnswer, type CopyTopic, copyTopicsMax, writeCopies } from "@parley/protocol/direct-copies";
import type { Logger } from "@parley/runtime";
import { type Link, openLink } from "./link.ts";
import type { Publish } from "./publish.ts";
import { openWays, type Way } from "./ways.ts";

export interface Direct {
  /** Resolves when each copy is confirmed by its devices, or the broker has it. Rejects when a session ended that it needed. */
  send(topics: readonly string[], payload: Uint8Array, publish: Publish): Promise<unknown>;
  close(): void;
}

/** Where no edge is to be asked: there are several, or a broker that devices reach by themselves. */
export const throughBroker: Direct = {
  send: (topics, payload, publish) => publish(topics, payload),
  close: () => undefined,
};

/** `publish`: how the broker gets it. */
interface Copy {
  payload: Uint8Array;
  publish: Publish;
}

/** `reopens`: what went through the broker before is finished. */
interface Place {
  way: Way;
  reopens: boolean;
}

/** What the edge was given and has not finished. */
interface Handed extends Copy {
  ways: readonly Way[];
  /** those that are not refused, by index */
  left: Set<number>;
  /** of those that went through the broker after all */
  published: Promise<unknown>[];
  settle: PromiseWithResolvers<unknown>;
}

/** Who is not at the edge now is asked about again this much later. */
const refusedMs = 500;
/** A device that confirms slowly is left to the broker, which keeps for it what it has no room for. */
const lateMs = 3_000;
const idMax = 2 ** 32;

/** `path`: of the edge's Unix socket. While nobody listens there all goes through the broker. */
export function openDirect(path: string, log: Logger): Direct {
  return new DirectCopies(path, log);
}

class DirectCopies implements Direct {
  readonly #link: Link;
  readonly #ways = openWays();
  readonly #handed = new Map<number, Handed>();
  #isOpen = false;
  #lastId = 0;

  constructor(path: string, log: Logger) {
    this.#link = openLink({
      path,
      onOpen: () => {
        this.#isOpen = true;
      },
      onAnswer: (answer) => this.#take(answer),
      onLost: () => this.#lost(),
      log,
    });
  }

  send(topics: readonly string[], payload: Uint8Array, publish: Publish): Promise<unknown> {
    const copy = { payload, publish };
    const direct: Place[] = [];
    const others: Way[] = [];
    const parts: Promise<unknown>[] = [];
    const now = performance.now();
    this.#ways.makeRoom();
    for (const topic of topics) {
      const way = this.#ways.of(topic);
      const place = this.#placeOf(way, now);
      if (place === "broker") others.push(way);
      else if (place === "wait") parts.push(this.#wait(way, copy));
      else direct.push({ way, reopens: place === "edge again" });
    }
    for (let from = 0; from < direct.length; from += copyTopicsMax)
      parts.push(this.#hand(direct.slice(from, from + copyTopicsMax), copy));
    if (others.length > 0) parts.push(publishTo(others, copy));
    return parts.length === 1 ? (parts[0] as Promise<unknown>) : Promise.all(parts);
  }

  close(): void {
    this.#link.close();
  }

  #placeOf(way: Way, now: number): "edge" | "edge again" | "wait" | "broker" {
    if (way.waiting.length > 0) return "wait";
    // What the edge was given may still be refused: the next one goes there too, and is refused behind it.
    if (way.handed > 0 || (way.isDirect && way.atBroker === 0)) return "edge";
    if (!this.#isOpen || now < way.askAt) return "broker";
    if (way.atBroker > 0) return "wait";
    way.isDirect = true;
    return "edge again";
  }

  /** Until the broker has what came before: among many messages there would be no moment in which it has all. */
  #wait(way: Way, copy: Copy): Promise<unknown> {
    return new Promise((resolve, reject) => {
      way.waiting.push((isCut) => {
        const isDirect = this.#isOpen && !isCut;
        const place = isDirect ? this.#hand([{ way, reopens: !way.isDirect }], copy) : publishTo([way], copy);
        way.isDirect = isDirect;
        place.then(resolve, reject);
      });
    });
  }

  #hand(to: readonly Place[], copy: Copy): Promise<unknown> {
    const id = (this.#lastId + 1) % idMax;
    this.#lastId = id;
    const topics = to.map(({ way: { topic }, reopens }): CopyTopic => ({ topic, reopens }));
    const ways = to.map(({ way }) => way);
    for (const way of ways) way.handed += 1;
    const settle = Promise.withResolvers<unknown>();
    this.#handed.set(id, { ...copy, ways, left: new Set(ways.keys()), published: [], settle });
    this.#link.send(writeCopies(id, topics, copy.payload));
    return settle.promise;
  }

  #take(answer: CopiesAnswer): void {
    const handed = this.#handed.get(answer.id);
    if (handed === undefined) return;
    if (answer.kind === "refused") refused(handed, answer.indexes);
    else if (answer.kind === "late") late(handed, answer.index, answer.topic);
    else {
      this.#handed.delete(answer.id);
      for (const index of handed.left) (handed.ways[index] as Way).handed -= 1;
      finish(handed);
    }
  }

  /** Nobody knows what of it devices have: the broker shall have all, in the order in which it was sent. */
  #lost(): void {
    this.#isOpen = false;
    const all = [...this.#handed.values()];
    this.#handed.clear();
    this.#ways.forgetDirect();
    for (const handed of all) {
      const ways = [...handed.left].map((index) => handed.ways[index] as Way);
      if (ways.length > 0) published(handed, publishTo(ways, handed));
      finish(handed);
    }
  }
}

function refused(handed: Handed, indexes: readonly number[]): void {
  const ways: Way[] = [];
  for (const index of indexes) {
    const way = handed.ways[index];
    if (way === undefined || !handed.left.delete(index)) continue;
    way.handed -= 1;
    leaveToBroker(way, refusedMs);
    ways.push(way);
  }
  if (ways.length > 0) published(handed, publishTo(ways, handed));
}

/** `topic` may be one device's own: the user's others have it, or are late by themselves. */
function late(handed: Handed, index: number, topic: string): void {
  const way = handed.ways[index];
  if (way === undefined) return;
  leaveToBroker(way, lateMs);
  published(
    handed,
    whileAtBroker([way], () => handed.publish([topic], handed.payload)),
  );
}

function published(handed: Handed, answered: Promise<unknown>): void {
  handed.published.push(answered);
  // It may fail long before the edge has finished the rest of the frame: whoever sent it is told then.
  answered.catch(() => undefined);
}

/** Behind what was published for these before. */
function publishTo(ways: readonly Way[], { payload, publish }: Copy): Promise<unknown> {
  const topics = ways.map(({ topic }) => topic);
  return whileAtBroker(ways, () => publish(topics, payload));
}

function leaveToBroker(way: Way, forMs: number): void {
  way.isDirect = false;
  way.askAt = performance.now() + forMs;
}

function whileAtBroker(ways: readonly Way[], publish: () => Promise<unknown>): Promise<unknown> {
  for (const way of ways) way.atBroker += 1;
  const sent = publish();
  sent.then(
    () => leftBroker(ways, false),
    () => leftBroker(ways, true),
  );
  return sent;
}

function leftBroker(ways: readonly Way[], isCut: boolean): void {
  for (const way of ways) {
    way.atBroker -= 1;
    way.isCut ||= isCut;
    if (way.atBroker > 0) continue;
    const wasCut = way.isCut;
    way.isCut = false;
    for (const work of way.waiting.splice(0)) work(wasCut);
  }
}

function finish({ published, settle }: Handed): void {
  if (published.length === 0) settle.resolve(undefined);
  else Promise.all(published).then(settle.resolve, settle.reject);
}
