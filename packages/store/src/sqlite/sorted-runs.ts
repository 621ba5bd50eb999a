// Many items in order without one long sort: short runs are sorted as they fill, and merged as they are taken.

const runLength = 1_000;

export class SortedRuns<T> {
  readonly #compare: (a: T, b: T) => number;
  #filling: T[] = [];
  #runs: { items: T[]; next: number }[] = [];

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  push(item: T): void {
    this.#filling.push(item);
    if (this.#filling.length === runLength) this.#endRun();
  }

  /** The least `count` of those that are left, in order. */
  take(count: number): T[] {
    if (this.#filling.length > 0) this.#endRun();
    const taken: T[] = [];
    while (taken.length < count && this.#runs.length > 0) {
      const run = this.#least();
      taken.push(run.items[run.next] as T);
      run.next += 1;
      if (run.next === run.items.length) this.#runs = this.#runs.filter((other) => other !== run);
    }
    return taken;
  }

  #least() {
    return this.#runs.reduce((least, run) =>
      this.#compare(run.items[run.next] as T, least.items[least.next] as T) < 0 ? run : least,
    );
  }

  #endRun(): void {
    this.#runs.push({ items: this.#filling.sort(this.#compare), next: 0 });
    this.#filling = [];
  }
}
