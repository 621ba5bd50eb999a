// What a device's speaker remembers for a while: so many at most, what was set longest ago is forgotten first.

export interface Remembered<V> {
  get(key: string): V | undefined;
  /** It is the latest from now on. */
  set(key: string, value: V): void;
  forget(key: string): void;
  entries(): Iterable<readonly [string, V]>;
}

export function remembering<V>(most: number): Remembered<V> {
  const kept = new Map<string, V>();
  return {
    get: (key) => kept.get(key),
    set(key, value) {
      kept.delete(key);
      kept.set(key, value);
      if (kept.size <= most) return;
      for (const oldest of kept.keys()) {
        kept.delete(oldest);
        return;
      }
    },
    forget: (key) => void kept.delete(key),
    entries: () => kept,
  };
}
