// Looks into files for what others get of them: one at a time of the same file, each with an end.
import { AppError } from "@parley/protocol";
import { openShares, type Shares } from "../http/shares.ts";
import type { SharedBytes } from "../store.ts";

/** undefined: the file is gone */
type Found = SharedBytes | undefined;

export interface Looks {
  /** of requests for which a file is looked into; those that hold a place already need none */
  shares: Shares;
  /** What `look` finds, or one for the same blob that is under way. Throws what it throws, and `unavailable` when it takes too long or the server stops. */
  at(blob: string, look: (signal: AbortSignal) => Promise<Found>): Promise<Found>;
  /** Ends those under way; there are none from now on. */
  stop(): void;
}

const [atOnce, ofOneUser] = [64, 4];
/** A file of the largest size can be read twice meanwhile. */
const lookMs = 5 * 60_000;

export function openLooks(timeMs = lookMs): Looks {
  const underWay = new Map<string, Promise<Found>>();
  const stopping = new AbortController();
  return {
    shares: openShares(atOnce, ofOneUser),
    at(blob, look) {
      const known = underWay.get(blob);
      if (known) return known;
      const begun = inTime(look, timeMs, stopping.signal).finally(() => underWay.delete(blob));
      underWay.set(blob, begun);
      return begun;
    },
    stop: () => stopping.abort(),
  };
}

// Not waited for any longer, even if it stands still where the file is kept.
async function inTime(look: (signal: AbortSignal) => Promise<Found>, timeMs: number, stopping: AbortSignal) {
  const ending = new AbortController();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const end = (why: string) => () => {
    const error = new AppError("unavailable", why);
    ending.abort(error);
    reject(error);
  };
  const late = setTimeout(end("it took too long to look into the file; try again later"), timeMs);
  const stopped = end("the server stops; try again");
  stopping.addEventListener("abort", stopped);
  if (stopping.aborted) stopped();
  try {
    return await Promise.race([ended, look(ending.signal)]);
  } finally {
    clearTimeout(late);
    stopping.removeEventListener("abort", stopped);
  }
}
