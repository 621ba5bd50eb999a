// How long a piece of work takes when it is done again and again.

export interface Took {
  /** ms; the middle one */
  median: number;
  /** ms; before anything is cached */
  first: number;
  worst: number;
}

/** One after the other. */
export async function timed(times: number, work: () => Promise<unknown>): Promise<Took> {
  const all: number[] = [];
  for (let done = 0; done < times; done++) {
    const begun = performance.now();
    await work();
    all.push(performance.now() - begun);
  }
  const [first = 0] = all;
  const sorted = all.toSorted((a, b) => a - b);
  return { median: sorted[Math.floor(times / 2)] ?? 0, first, worst: sorted.at(-1) ?? 0 };
}
