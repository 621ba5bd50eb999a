// Work that is wanted again and again: of one key at once the first time, then at most once in a while, with what is so by then.

export interface Paces {
  /** Resolving false, it is done again. What is wanted while `key` waits is the latest only; beyond `keysMax` keys it is dropped. */
  run(key: string, work: () => Promise<boolean>): void;
  close(): void;
}

export function openPaces({ everyMs, keysMax }: { everyMs: number; keysMax: number }): Paces {
  const wanted = new Map<string, { next?: (() => Promise<boolean>) | undefined; timer?: NodeJS.Timeout }>();

  async function go(key: string, work: () => Promise<boolean>): Promise<void> {
    const isDone = await work();
    const one = wanted.get(key);
    if (!one) return;
    if (!isDone) one.next ??= work;
    one.timer = setTimeout(() => {
      const { next } = one;
      one.next = undefined;
      if (next) void go(key, next);
      else wanted.delete(key);
    }, everyMs);
  }

  return {
    run(key, work) {
      const one = wanted.get(key);
      if (one) one.next = work;
      else if (wanted.size < keysMax) {
        wanted.set(key, {});
        void go(key, work);
      }
    },
    close() {
      for (const { timer } of wanted.values()) clearTimeout(timer);
      wanted.clear();
    },
  };
}
