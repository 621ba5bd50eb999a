// How many entries a cache keeps, so that it takes room for those that it has and not, at its start, for all that it may have.

/**
 * Options of an LRUCache with at most so many entries. Its own `max` would take about 40 bytes for each of them at once: of the caches of
 * a service together some MB, and a tenth of the CPU of its start.
 */
export function upTo(entries: number): { maxSize: number; sizeCalculation: () => number } {
  return { maxSize: entries, sizeCalculation: () => 1 };
}
