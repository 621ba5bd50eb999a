// A device is looked after again, in case something for it was lost on the way: soon after it came, as another router may hear of it later
// than this one, every minute, and whenever something may have been lost.
import type { Line } from "./line.ts";
import type { Telling } from "./telling.ts";

export interface Looking {
  /** It came, and all that it lacks is being read. */
  begin(): void;
  /** Something may have been lost: the next look comes within `ms`. Of a device that has not come it needs none. */
  soon(ms: number): void;
  close(): void;
}

/** By then each router knows of a device that came, as a rule. */
const knownMs = 3_000;
const everyMs = 60_000;

export function openLooking(line: Pick<Line, "add">, telling: Pick<Telling, "lookAgain">): Looking {
  let timer: NodeJS.Timeout | undefined;
  let dueAt: number | undefined;

  function plan(ms: number): void {
    clearTimeout(timer);
    dueAt = performance.now() + ms;
    timer = setTimeout(() => {
      plan(everyMs * (0.9 + Math.random() * 0.2));
      line.add(telling.lookAgain);
    }, ms);
  }

  return {
    begin: () => plan(knownMs),
    soon(ms) {
      if (dueAt !== undefined && performance.now() + ms < dueAt) plan(ms * Math.random());
    },
    close: () => clearTimeout(timer),
  };
}
