// How traffic that few conversations or devices have most of falls into partitions, and upon who holds them.
import type { Kind } from "./kinds.ts";

/** What share of all traffic each of `count` has, the most used first: by rank to the power of −exponent. 0: all the same. */
export function zipf(count: number, exponent: number): Float64Array {
  const weights = Float64Array.from({ length: count }, (_, index) => (index + 1) ** -exponent);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** What share of all traffic each partition has, for each list of shares. */
export function loadsOf({ keys, keyOf }: Kind, shares: readonly Float64Array[]): Map<string, number>[] {
  const loads = shares.map(() => new Map(keys.map((key) => [key, 0])));
  for (let n = 0; n < Math.max(...shares.map(({ length }) => length)); n++) {
    const key = keyOf(n);
    for (const [index, load] of loads.entries()) load.set(key, (load.get(key) ?? 0) + (shares[index]?.[n] ?? 0));
  }
  return loads;
}

/** What share of all traffic the replica with most of it has. */
export function busiestShare(held: readonly ReadonlySet<string>[], load: ReadonlyMap<string, number>): number {
  return Math.max(...held.map((keys) => [...keys].reduce((sum, key) => sum + (load.get(key) ?? 0), 0)));
}
