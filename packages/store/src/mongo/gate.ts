// How many operations may be under way, and how many may wait: what a slow server cannot take is refused, not gathered.
import { StoreError } from "../store-error.ts";

const waitingMax = 2_000;
const waitMaxMs = 5_000;

type Waiting = { since: number; begin(): void; refuse(error: StoreError): void };

export class Gate {
  readonly #most: number;
  readonly #waiting: Waiting[] = [];
  #underWay = 0;
  #idle: (() => void) | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  /** Runs the work when there is room for it. Throws `unavailable` where that cannot be soon: nothing was begun. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#underWay < this.#most) this.#underWay += 1;
    else await this.#turn();
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  /** Resolves when nothing is under way and nothing waits. */
  idle(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= waitingMax) return Promise.reject(slow());
    return new Promise((begin, refuse) => this.#waiting.push({ since: performance.now(), begin, refuse }));
  }

  // The place of the one that has ended goes to the first that has not waited too long.
  #next(): void {
    const latest = performance.now() - waitMaxMs;
    let first = this.#waiting.shift();
    for (; first && first.since < latest; first = this.#waiting.shift()) first.refuse(slow());
    if (first) return void first.begin();
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#idle?.();
  }
}

function slow(): StoreError {
  return new StoreError("unavailable", "MongoDB is slower than what is asked of it");
}
