// `localStorage` for tests: a Map that looks like it.
import type { KeyValueStorage } from "./outbox-store.ts";

export function storageOf(kept: Map<string, string> = new Map()): KeyValueStorage {
  return {
    get length() {
      return kept.size;
    },
    key: (index) => [...kept.keys()][index] ?? null,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}
