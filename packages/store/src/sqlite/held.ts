// Entries held in memory in a few lists, one behind the other, each in order of the same field: looked at without joining them.
import type { Keys } from "./unindexed.ts";

export type Held = readonly (readonly Keys[])[];
type Field = "pos" | "seq";

export function firstHeld(held: Held): Keys | undefined {
  return held.find((list) => list.length > 0)?.[0];
}

export function lastHeld(held: Held): Keys | undefined {
  return held.findLast((list) => list.length > 0)?.at(-1);
}

export function heldAt(held: Held, field: Field, value: number): Keys | undefined {
  for (const list of held) {
    const keys = list[firstFrom(list, field, value)];
    if (keys?.[field] === value) return keys;
  }
  return undefined;
}

/** Above `low` and below `high`, the lowest first. */
export function heldUp(held: Held, field: Field, [low, high]: readonly [number, number], limit: number): Keys[] {
  let found: Keys[] = [];
  for (const list of held) {
    const from = firstFrom(list, field, low + 1);
    found = found.concat(list.slice(from, Math.min(firstFrom(list, field, high), from + limit - found.length)));
  }
  return found;
}

/** Below `high`, the highest first. */
export function heldDown(held: Held, field: Field, high: number, limit: number): Keys[] {
  let found: Keys[] = [];
  for (const list of held.toReversed()) {
    const to = firstFrom(list, field, high);
    found = found.concat(list.slice(Math.max(0, to - limit + found.length), to).reverse());
  }
  return found;
}

/** Where the first one stands that is not below `value`; the list's length if there is none. */
function firstFrom(list: readonly Keys[], field: Field, value: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle] as Keys)[field] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
