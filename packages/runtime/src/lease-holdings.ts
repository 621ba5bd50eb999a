// The keys of one replica and where each stands: its work beginning, held, or ending.
import type { Logger } from "./log.ts";

/** Why a key is given up: another holds it, another is due to have it, this replica stops. */
export type ReleaseReason = "lost" | "surplus" | "shutdown";

export interface HoldingsOptions {
  kind: string;
  log: Logger;
  acquire(key: string): Promise<void>;
  release(key: string, reason: ReleaseReason): Promise<void>;
  /** Makes the key free for others. */
  drop(key: string): Promise<void>;
}

export interface Holdings {
  readonly held: ReadonlySet<string>;
  /** What the next turn does with a key: see Turn. */
  mark(key: string): "h" | "x" | "-";
  /** The key is ours now: its work begins. */
  begin(key: string): void;
  /** Another has the key. */
  lose(key: string): void;
  /** Gives up held keys until at most `share` are left. */
  shrink(share: number): void;
  /** Gives up everything; resolves when all work has ended. */
  releaseAll(): Promise<void>;
}

interface Holding {
  phase: "acquiring" | "held" | "releasing";
  lost: boolean;
  work: Promise<void>;
}

// A key whose work could not begin is left to others for this long.
const failedAcquirePauseMs = 2000;

export function createHoldings(options: HoldingsOptions): Holdings {
  const { kind, log, acquire, release, drop } = options;
  const holdings = new Map<string, Holding>();
  const held = new Set<string>();
  const letBeUntil = new Map<string, number>();

  const free = async (key: string) => {
    await drop(key).catch((error) => log.warn({ event: "lease_not_freed", kind, key, reason: String(error) }));
    holdings.delete(key);
  };

  const start = async (key: string, holding: Holding) => {
    try {
      await acquire(key);
    } catch (err) {
      log.error({ event: "lease_work_failed", kind, key, err });
      letBeUntil.set(key, performance.now() + failedAcquirePauseMs);
      return free(key);
    }
    holding.phase = "held";
    held.add(key);
    log.debug({ event: "lease_acquired", kind, key });
    if (holding.lost) await end(key, holding, "lost");
  };

  const end = async (key: string, holding: Holding, reason: ReleaseReason) => {
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
    else await free(key);
  };

  return {
    held,
    mark(key) {
      const holding = holdings.get(key);
      if (holding) return holding.lost ? "x" : "h";
      return (letBeUntil.get(key) ?? 0) > performance.now() ? "x" : "-";
    },
    begin(key) {
      if (holdings.has(key)) return;
      const holding: Holding = { phase: "acquiring", lost: false, work: Promise.resolve() };
      holdings.set(key, holding);
      holding.work = start(key, holding);
    },
    lose(key) {
      const holding = holdings.get(key);
      if (!holding || holding.lost) return;
      holding.lost = true;
      log.warn({ event: "lease_lost", kind, key });
      if (holding.phase === "held") holding.work = end(key, holding, "lost");
    },
    shrink(share) {
      const kept = [...holdings].filter(([, holding]) => holding.phase !== "releasing" && !holding.lost);
      const surplus = Math.max(kept.length - share, 0);
      const candidates = kept.filter(([, { phase }]) => phase === "held").reverse();
      for (const [key, holding] of candidates.slice(0, surplus)) holding.work = end(key, holding, "surplus");
    },
    async releaseAll() {
      const endOne = async ([key, holding]: [string, Holding]) => {
        await holding.work;
        if (holding.phase === "held") await end(key, holding, "shutdown");
      };
      await Promise.all([...holdings].map(endOne));
    },
  };
}
