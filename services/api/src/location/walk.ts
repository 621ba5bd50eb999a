// What each reader of a format is given: the file's bytes at any place, and where to note which of them others get otherwise.
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Bytes } from "./bytes.ts";

/** `length` bytes from `at` on are `byte` instead. */
export interface Change {
  at: number;
  length: number;
  byte: number;
}

export interface Walk extends Bytes {
  /** Throws WalkEnded when more was read than is read of a file of this size, and why `signal` was aborted. */
  read(at: number, length: number): Promise<Buffer>;
  /** in the order in which they are made: of two about one byte the later one counts */
  changes: Change[];
  fill(at: number, length: number, byte: number): void;
  write(at: number, bytes: Uint8Array): void;
  /** For each structure that is looked into, each entry of a list included: throws WalkEnded when there were too many. */
  step(): void;
}

/** More structures than are looked into, more bytes than are read or more changes than are kept: a place may be left behind them. */
export class WalkEnded extends Error {}

const stepsMax = 100_000;
const changesMax = 4_000;
/** Bytes that may be read of a file: so many times its size, and so many more, as structures may share what they point to. */
const [readTimes, readMore] = [4, 64 * 1024 * 1024];
/** Whoever else waits goes on after so long (ms). */
const turnMs = 5;

/** Ends, between two reads, when `signal` is aborted. */
export function startWalk(bytes: Bytes, signal?: AbortSignal): Walk {
  const changes: Change[] = [];
  const readMax = readTimes * bytes.size + readMore;
  let [steps, read, turnAt] = [0, 0, performance.now()];
  const fill = (at: number, asked: number, byte: number) => {
    const length = Math.min(asked, bytes.size - at);
    if (!(at >= 0 && length > 0)) return;
    const last = changes.at(-1);
    if (last && last.byte === byte && last.at + last.length === at) last.length += length;
    else if (changes.push({ at, length, byte }) > changesMax) throw new WalkEnded("changes");
  };
  return {
    size: bytes.size,
    fetched: bytes.fetched,
    async read(at, length) {
      if (performance.now() - turnAt > turnMs) {
        await nextTurn();
        turnAt = performance.now();
      }
      signal?.throwIfAborted();
      const found = await bytes.read(at, length);
      read += found.length;
      if (Math.max(read, bytes.fetched()) > readMax) throw new WalkEnded("bytes");
      return found;
    },
    changes,
    fill,
    write: (at, written) => written.forEach((byte, index) => void fill(at + index, 1, byte)),
    step() {
      if (++steps > stepsMax) throw new WalkEnded("steps");
    },
  };
}

/** What a structure that is not as it should be says ends where it is torn. */
export async function untilTorn(look: () => Promise<void>): Promise<void> {
  try {
    await look();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}
