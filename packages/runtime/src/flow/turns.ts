// Work that waits for its turn: so much at once, so many waiting, each so long; keys (addresses) share both fairly.

import { openTally } from "./tally.ts";

export interface Turns {
  /**
   * Resolves when it is the caller's turn, which lasts until what it resolves with is called. undefined: too many wait
   * already, it took too long, or `isWanted` says that nobody waits any more.
   */
  take(options?: TurnOptions): Promise<(() => void) | undefined>;
  waiting(): number;
  /** Those that wait of one key. */
  waitingOf(key: string): number;
}

export interface TurnOptions {
  /** Of those that wait, a lower rank goes first. */
  rank?: 0 | 1 | 2;
  /** Whom it is for. Within a rank keys take turns, however many wait of each. */
  key?: string;
  isWanted?: () => boolean;
}

export interface TurnsOptions {
  atOnce: number;
  /** of one key; all of them unless said */
  atOnceEach?: number;
  /** When so many wait, a newcomer takes the place of the newest of the key that waits most, or is refused if that is its own. */
  waitingMax?: number;
  waitMs?: number;
}

interface Waiter {
  key: string;
  since: number;
  isWanted: () => boolean;
  settle(turn: (() => void) | undefined): void;
}

/** Waiters are given up once a second. */
const sweepMs = 1000;

export function openTurns(options: TurnsOptions): Turns {
  const { atOnce, atOnceEach = atOnce, waitingMax = Number.POSITIVE_INFINITY } = options;
  const { waitMs = Number.POSITIVE_INFINITY } = options;
  const queues = [openQueue(), openQueue(), openQueue()] as const;
  const underWay = openTally();
  const waiting = openTally();
  let watching = false;

  const mayBegin = (key: string) => underWay.all() < atOnce && underWay.of(key) < atOnceEach;

  function begin(key: string): () => void {
    underWay.add(key);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      underWay.remove(key);
      for (const queue of queues) queue.awake(key);
      startNext();
    };
  }

  function startNext(): void {
    for (const queue of queues)
      while (underWay.all() < atOnce) {
        const waiter = queue.next(mayBegin);
        if (waiter === undefined) break;
        left(waiter, waiter.isWanted() ? begin(waiter.key) : undefined);
      }
  }

  /** A waiter is out of its queue. */
  function left({ key, settle }: Waiter, turn?: () => void): void {
    waiting.remove(key);
    settle(turn);
  }

  /** Makes room for one of `key` at the cost of the key that waits most; false: that is `key` itself. */
  function displace(key: string): boolean {
    const most = waiting.most();
    if (waiting.of(most) <= waiting.of(key) + 1) return false;
    for (const queue of queues.toReversed()) {
      const newest = queue.dropNewest(most);
      if (newest === undefined) continue;
      left(newest);
      return true;
    }
    return false;
  }

  function giveUp(): void {
    watching = false;
    const now = performance.now();
    const isOver = ({ since, isWanted }: Waiter) => now - since >= waitMs || !isWanted();
    for (const queue of queues) for (const waiter of queue.dropAll(isOver)) left(waiter);
    watch();
  }

  function watch(): void {
    if (watching || waiting.all() === 0) return;
    watching = true;
    setTimeout(giveUp, sweepMs).unref();
  }

  return {
    waiting: waiting.all,
    waitingOf: waiting.of,
    async take({ rank = 1, key = "", isWanted = () => true } = {}) {
      if (mayBegin(key)) return begin(key);
      if (waiting.all() >= waitingMax && !displace(key)) return undefined;
      return new Promise((settle) => {
        waiting.add(key);
        queues[rank].add({ key, since: performance.now(), isWanted, settle });
        watch();
      });
    },
  };
}

/** The waiters of one rank, by key, the key whose turn it is first. */
function openQueue() {
  const ready = new Map<string, Waiter[]>();
  /** keys that have all they may have under way, so that nobody looks at them in vain */
  const resting = new Map<string, Waiter[]>();

  return {
    add(waiter: Waiter): void {
      const list = ready.get(waiter.key) ?? resting.get(waiter.key);
      if (list === undefined) ready.set(waiter.key, [waiter]);
      else list.push(waiter);
    },

    /** Takes the first waiter of the first key that may begin; that key goes to the end. */
    next(mayBegin: (key: string) => boolean): Waiter | undefined {
      for (const [key, list] of ready) {
        ready.delete(key);
        if (!mayBegin(key)) {
          resting.set(key, list);
          continue;
        }
        const waiter = list.shift();
        if (list.length > 0) ready.set(key, list);
        return waiter;
      }
      return undefined;
    },

    /** The key has less under way. */
    awake(key: string): void {
      const list = resting.get(key);
      if (list === undefined) return;
      resting.delete(key);
      ready.set(key, list);
    },

    dropNewest(key: string): Waiter | undefined {
      for (const lists of [ready, resting]) {
        const list = lists.get(key);
        const newest = list?.pop();
        if (list?.length === 0) lists.delete(key);
        if (newest !== undefined) return newest;
      }
      return undefined;
    },

    dropAll(isOver: (waiter: Waiter) => boolean): Waiter[] {
      const dropped: Waiter[] = [];
      for (const lists of [ready, resting])
        for (const [key, list] of lists) {
          const kept = list.filter((waiter) => !isOver(waiter) || !dropped.push(waiter));
          if (kept.length === 0) lists.delete(key);
          else lists.set(key, kept);
        }
      return dropped;
    },
  };
}
