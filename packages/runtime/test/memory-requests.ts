// A service's collection of requests, in memory.
import type { RequestDoc, RequestStore } from "../src/index.ts";

export function memoryRequests(): RequestStore & { docs: Map<string, RequestDoc> } {
  const docs = new Map<string, RequestDoc>();
  return {
    docs,
    async get(key) {
      const doc = docs.get(key);
      return doc && { doc: structuredClone(doc) };
    },
    async insert(key, doc) {
      if (docs.has(key)) return false;
      docs.set(key, structuredClone(doc));
      return true;
    },
    async put(entries) {
      for (const { key, doc } of entries) docs.set(key, structuredClone(doc));
    },
    async remove(key) {
      return docs.delete(key);
    },
    async find({ before, limit }) {
      const old = [...docs].filter(([, { begunAt }]) => begunAt < before);
      return { items: old.slice(0, limit).map(([key]) => ({ key, version: 1 })) };
    },
  };
}
