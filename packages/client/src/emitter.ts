// Typed events. A listener that throws breaks nobody else: its error surfaces as an uncaught one.

export interface Emitter<E extends Record<string, unknown>> {
  /** Listens; the answer stops listening. */
  on<K extends keyof E>(event: K, listener: (value: E[K]) => void): () => void;
  emit<K extends keyof E>(event: K, value: E[K]): void;
}

/** An emitter without listeners. */
export function createEmitter<E extends Record<string, unknown>>(): Emitter<E> {
  const listeners = new Map<keyof E, Set<(value: never) => void>>();
  return {
    on(event, listener) {
      const set = listeners.get(event) ?? new Set();
      listeners.set(event, set.add(listener));
      return () => set.delete(listener);
    },
    emit(event, value) {
      for (const listener of [...(listeners.get(event) ?? [])])
        try {
          (listener as (value: unknown) => void)(value);
        } catch (error) {
          queueMicrotask(() => {
            throw error;
          });
        }
    },
  };
}
