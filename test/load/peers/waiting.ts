// Messages of one generator that are under way: known again by their ids, done when the last copy has come.
import type { Timing } from "../pairs.ts";

export interface Waiting {
  /** A new message's id. */
  begin(timing: Timing): string;
  /** Its sender has the ack; of other ids nothing. */
  acknowledged(id: string): void;
  /** Somebody has it; of other ids nothing. True: they were the last. */
  delivered(id: string): boolean;
}

let lastId = 0;

/** Each message comes to so many. */
export function openWaiting(copies: number): Waiting {
  const undelivered = new Map<string, { timing: Timing; copies: number }>();
  const unacknowledged = new Map<string, Timing>();
  return {
    begin(timing) {
      lastId += 1;
      const id = `b${lastId}`;
      undelivered.set(id, { timing, copies });
      unacknowledged.set(id, timing);
      return id;
    },
    acknowledged(id) {
      unacknowledged.get(id)?.acknowledged(performance.now());
      unacknowledged.delete(id);
    },
    delivered(id) {
      const message = undelivered.get(id);
      if (message === undefined || --message.copies > 0) return false;
      undelivered.delete(id);
      message.timing.delivered(performance.now());
      return true;
    },
  };
}
