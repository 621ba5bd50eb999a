// Packets whose copies wait for a room's members: where these cannot be read for long, packets are let go, and the copies go out
// behind them when they can.
import type { Logger } from "@parley/runtime";

export interface LettingGo {
  /** Resolves with the work, or when the room is in trouble for long: then the work goes on by itself. `bytes`: what it holds. */
  wait(conv: string, bytes: number, work: Promise<void>): Promise<void>;
  /** Is the room in trouble for long? Then all that waits is let go. */
  look(conv: string): void;
  /** No more can be kept: what is behind its packets is left to sync. */
  isFull(): boolean;
}

/** of messages that are behind their packets, of all rooms */
const keptBytesMax = 16 * 1024 ** 2;
const bytesOfPromises = 1_024;

export function openLettingGo(isInTrouble: (conv: string) => boolean, log: Logger): LettingGo {
  const waiting = new Map<string, Set<() => void>>();
  let keptBytes = 0;

  function forget(conv: string, leave: () => void): void {
    const rest = waiting.get(conv);
    rest?.delete(leave);
    if (rest?.size === 0) waiting.delete(conv);
  }

  return {
    async wait(conv, bytes, work) {
      const left = Promise.withResolvers<void>();
      const held = bytes + bytesOfPromises;
      let isKept = false;
      const leave = () => {
        isKept = true;
        keptBytes += held;
        left.resolve();
      };
      const whole = work.finally(() => {
        forget(conv, leave);
        if (isKept) keptBytes -= held;
      });
      if (isInTrouble(conv)) leave();
      else waiting.set(conv, (waiting.get(conv) ?? new Set()).add(leave));
      await Promise.race([whole, left.promise]);
      // Nobody waits for it: where its session ends, the room has it by sync.
      if (isKept) whole.catch((error: unknown) => log.warn({ event: "delivery_left", conv, reason: String(error) }));
    },
    look(conv) {
      if (!isInTrouble(conv)) return;
      const all = waiting.get(conv) ?? [];
      waiting.delete(conv);
      for (const leave of all) leave();
    },
    isFull: () => keptBytes >= keptBytesMax,
  };
}
