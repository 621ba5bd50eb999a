// When to sync: after every subscription, and every minute, in case a delivery was lost on the way.
import { backoffMs } from "@parley/protocol";

export interface HeadsOptions {
  /** `returning`: the first one of a connection, after which nothing may be missing that changed before it */
  synchronize(returning: boolean): Promise<void>;
  onSyncing(): void;
  onSynced(): void;
  /** default 60,000 */
  everyMs?: number;
}

export type Heads = ReturnType<typeof startHeads>;

export function startHeads({ synchronize, onSyncing, onSynced, everyMs = 60_000 }: HeadsOptions) {
  let online = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  // Each connection is a round of its own; what an earlier one started says nothing about this one.
  let round = 0;

  function plan(inMs: number, attempt: number, returning: boolean): void {
    timer = setTimeout(() => void run(attempt, returning), inMs);
  }

  async function run(attempt: number, returning: boolean): Promise<void> {
    const mine = round;
    try {
      await synchronize(returning);
      if (mine !== round) return;
      onSynced();
      plan(everyMs * (0.9 + Math.random() * 0.2), 1, false);
    } catch {
      // Whatever it was, the device still lacks something: it asks until it has it.
      if (mine === round) plan(backoffMs(attempt, { baseMs: 500, maxMs: 30_000 }), attempt + 1, returning);
    }
  }

  function stop(): void {
    round += 1;
    clearTimeout(timer);
  }

  return {
    setOnline(now: boolean): void {
      if (now === online) return;
      online = now;
      stop();
      if (!now) return;
      onSyncing();
      void run(1, true);
    },
    close: stop,
  };
}
