// Work that may wait, in slices of one turn of the event loop: between two of them goes what came in meanwhile.
import { setImmediate as nextLoop } from "node:timers/promises";

export interface Slices {
  /** Resolves when it is the caller's turn: what it does before it awaits anything belongs to the slice. First come, first served. */
  turn(): Promise<void>;
}

const sliceMs = 1;
const turnsMax = 16;

export function openSlices(): Slices {
  let waiting: (() => void)[] = [];
  let isRunning = false;

  async function run(): Promise<void> {
    isRunning = true;
    while (waiting.length > 0) {
      await nextLoop();
      const until = performance.now() + sliceMs;
      let done = 0;
      do {
        waiting[done]?.();
        done += 1;
        // Lets it do what it does at once.
        await null;
      } while (done < waiting.length && done < turnsMax && performance.now() < until);
      waiting = waiting.slice(done);
    }
    isRunning = false;
  }

  return {
    turn() {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push(resolve);
      if (!isRunning) void run();
      return promise;
    },
  };
}
