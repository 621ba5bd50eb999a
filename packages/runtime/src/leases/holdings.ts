// The keys of one replica and where each stands: its work beginning, held, or ending.

import type { Logger } from "../process/log.ts";
import { createPace } from "./pace.ts";

/** Why a key is given up: another holds it, another is due to have it, this replica stops. */
export type ReleaseReason = "lost" | "surplus" | "shutdown";

export interface HoldingsOptions {
  kind: string;
  log: Logger;
  acquire(key: string): Promise<void>;
  release(key: string, reason: ReleaseReason): Promise<void>;
  /** Makes the key free for others. */
  drop(key: string): Promise<void>;
  /** The work of the key has begun. */
  begun?(key: string): void;
  /** How many keys are given up at once: being released, or free and not taken by another yet. */
  awayMax: number;
}

export interface Holdings {
  readonly held: ReadonlySet<string>;
  /** What the next turn does with a key: see Turn. */
  mark(key: string): "h" | "x" | "-";
  /** The key is ours now: its work begins. */
  begin(key: string): void;
  /** Another has the key. */
  lose(key: string): void;
  /** Gives up held keys, a few at a time, until at most `share` are left. */
  shrink(share: number): void;
  /** Another has the key that was given up. */
  taken(key: string): void;
  /** No other replica is there to take what is given up. */
  alone(): void;
  /** Gives up everything, a few at a time; resolves when all work has ended. */
  releaseAll(): Promise<void>;
}

interface Holding {
  phase: "acquiring" | "held" | "releasing" | "freeing";
  lost: boolean;
  work: Promise<void>;
}

// A key whose work could not begin is left to others for this long.
const failedAcquirePauseMs = 2000;
// How long the next key waits for one that is released slowly or that nobody takes.
const surplusAwayMs = 1500;
const shutdownAwayMs = 150;

interface Book extends HoldingsOptions {
  holdings: Map<string, Holding>;
  held: Set<string>;
  letBeUntil: Map<string, number>;
}

export function createHoldings(options: HoldingsOptions): Holdings {
  const { kind, log, awayMax } = options;
  const holdings = new Map<string, Holding>();
  const held = new Set<string>();
  const letBeUntil = new Map<string, number>();
  const book: Book = { ...options, holdings, held, letBeUntil };
  const pace = createPace(awayMax, () => giveSurplus());
  let wanted = Number.POSITIVE_INFINITY;

  function giveSurplus(): void {
    const kept = [...holdings].filter(([, { phase, lost }]) => (phase === "held" || phase === "acquiring") && !lost);
    const candidates = kept.filter(([, { phase }]) => phase === "held").reverse();
    for (const [key, holding] of candidates.slice(0, Math.max(kept.length - wanted, 0))) {
      if (!pace.tryStart(key, surplusAwayMs)) return;
      holding.work = end(book, key, holding, "surplus");
    }
  }

  async function endLast([key, holding]: [string, Holding]): Promise<void> {
    await holding.work;
    if (holding.phase === "held") await pace.start(key, shutdownAwayMs);
    if (holding.phase === "held") return end(book, key, holding, "shutdown");
    // Lost while it waited for its turn.
    await holding.work;
    pace.seen(key);
  }

  return {
    held,
    mark(key) {
      const holding = holdings.get(key);
      // A turn that overtakes the drop's answer must not set the key again.
      if (holding) return holding.lost || holding.phase === "freeing" ? "x" : "h";
      return (letBeUntil.get(key) ?? 0) > performance.now() ? "x" : "-";
    },
    begin(key) {
      if (holdings.has(key)) return;
      const holding: Holding = { phase: "acquiring", lost: false, work: Promise.resolve() };
      holdings.set(key, holding);
      holding.work = begin(book, key, holding);
    },
    lose(key) {
      const holding = holdings.get(key);
      if (!holding || holding.lost) return;
      holding.lost = true;
      log.warn({ event: "lease_lost", kind, key });
      if (holding.phase === "held") holding.work = end(book, key, holding, "lost");
    },
    shrink(share) {
      wanted = share;
      giveSurplus();
    },
    taken: pace.seen,
    alone: pace.open,
    async releaseAll() {
      wanted = Number.POSITIVE_INFINITY;
      await Promise.all([...holdings].map(endLast));
      pace.close();
    },
  };
}

async function begin(book: Book, key: string, holding: Holding): Promise<void> {
  const { kind, log, held, letBeUntil, acquire, begun } = book;
  try {
    await acquire(key);
  } catch (err) {
    log.error({ event: "lease_work_failed", kind, key, err });
    letBeUntil.set(key, performance.now() + failedAcquirePauseMs);
    return free(book, key, holding);
  }
  holding.phase = "held";
  held.add(key);
  log.debug({ event: "lease_acquired", kind, key });
  begun?.(key);
  if (holding.lost) await end(book, key, holding, "lost");
}

async function end(book: Book, key: string, holding: Holding, reason: ReleaseReason): Promise<void> {
  const { kind, log, held, holdings, release } = book;
  holding.phase = "releasing";
  holding.lost ||= reason === "lost";
  held.delete(key);
  try {
    await release(key, reason);
  } catch (err) {
    log.error({ event: "lease_release_failed", kind, key, reason, err });
  }
  log.debug({ event: "lease_released", kind, key, reason });
  if (holding.lost) holdings.delete(key);
  else await free(book, key, holding);
}

async function free({ kind, log, holdings, drop }: Book, key: string, holding: Holding): Promise<void> {
  holding.phase = "freeing";
  await drop(key).catch((error) => log.warn({ event: "lease_not_freed", kind, key, reason: String(error) }));
  holdings.delete(key);
}
