// Work that waits for its turn: so much at once, so many waiting, each so long; the rest is told at once.

export interface Turns {
  /**
   * Resolves when it is the caller's turn, which lasts until what it resolves with is called. undefined: too many wait
   * already, it took too long, or `isWanted` says that nobody waits any more. Of those that wait, a lower `rank` goes first.
   */
  take(options?: { rank?: 0 | 1 | 2; isWanted?: () => boolean }): Promise<(() => void) | undefined>;
  waiting(): number;
}

export interface TurnsOptions {
  atOnce: number;
  waitingMax?: number;
  waitMs?: number;
}

interface Waiter {
  since: number;
  isWanted: () => boolean;
  settle(turn: (() => void) | undefined): void;
}

/** Waiters are given up once a second. */
const sweepMs = 1000;

export function openTurns(options: TurnsOptions): Turns {
  const { atOnce, waitingMax = Number.POSITIVE_INFINITY, waitMs = Number.POSITIVE_INFINITY } = options;
  const queues: Set<Waiter>[] = [new Set(), new Set(), new Set()];
  let underWay = 0;
  let watching = false;
  const waiting = () => queues.reduce((sum, queue) => sum + queue.size, 0);

  function begin(): () => void {
    underWay += 1;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      underWay -= 1;
      startNext();
    };
  }

  function startNext(): void {
    for (const queue of queues)
      for (const waiter of queue) {
        if (underWay >= atOnce) return;
        queue.delete(waiter);
        waiter.settle(waiter.isWanted() ? begin() : undefined);
      }
  }

  function giveUp(): void {
    watching = false;
    const now = performance.now();
    for (const queue of queues)
      for (const waiter of queue) {
        if (now - waiter.since < waitMs && waiter.isWanted()) continue;
        queue.delete(waiter);
        waiter.settle(undefined);
      }
    watch();
  }

  function watch(): void {
    if (watching || waiting() === 0) return;
    watching = true;
    setTimeout(giveUp, sweepMs).unref();
  }

  return {
    waiting,
    async take({ rank = 1, isWanted = () => true } = {}) {
      if (underWay < atOnce) return begin();
      if (waiting() >= waitingMax) return undefined;
      return new Promise((settle) => {
        queues[rank]?.add({ since: performance.now(), isWanted, settle });
        watch();
      });
    },
  };
}
