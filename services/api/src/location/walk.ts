// What each reader of a format is given: the file's bytes at any place, and where to note which of them others get otherwise.
import type { Bytes } from "./bytes.ts";

/** `length` bytes from `at` on are `byte` instead. */
export interface Change {
  at: number;
  length: number;
  byte: number;
}

export interface Walk extends Bytes {
  /** in the order in which they are made: of two about one byte the later one counts */
  changes: Change[];
  fill(at: number, length: number, byte: number): void;
  write(at: number, bytes: Uint8Array): void;
  /** For each structure that is looked into: throws WalkEnded when there were too many. */
  step(): void;
}

/** More structures than are looked into, or more changes than are kept. */
export class WalkEnded extends Error {
  readonly why: "steps" | "changes";
  constructor(why: "steps" | "changes") {
    super(why);
    this.why = why;
  }
}

const stepsMax = 20_000;
const changesMax = 4_000;

export function startWalk(bytes: Bytes): Walk {
  const changes: Change[] = [];
  let steps = 0;
  const fill = (at: number, asked: number, byte: number) => {
    const length = Math.min(asked, bytes.size - at);
    if (!(at >= 0 && length > 0)) return;
    const last = changes.at(-1);
    if (last && last.byte === byte && last.at + last.length === at) last.length += length;
    else if (changes.push({ at, length, byte }) > changesMax) throw new WalkEnded("changes");
  };
  return {
    ...bytes,
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
