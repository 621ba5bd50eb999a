// How many there are, of each key and of all.

/** Counts by key; a key that has none left is forgotten. `most`: the key that has most, or had a moment ago. */
export function openTally() {
  const counts = new Map<string, number>();
  let all = 0;
  /** Only looked at when a key gains one: it may no longer be the largest, and then another soon is. */
  let most = "";
  const of = (key: string): number => counts.get(key) ?? 0;
  return {
    of,
    all: () => all,
    most: () => most,
    add(key: string): void {
      all += 1;
      counts.set(key, of(key) + 1);
      if (of(key) > of(most)) most = key;
    },
    remove(key: string): void {
      all -= 1;
      if (of(key) > 1) counts.set(key, of(key) - 1);
      else counts.delete(key);
    },
  };
}
