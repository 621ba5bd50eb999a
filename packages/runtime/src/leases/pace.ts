// How many keys are away at once while a replica gives them up: each is away shortly, and the rest keeps working.

export interface Pace {
  /** Lets a key go if few enough are away; it counts as away until it is `seen`, or for `forMs`. */
  tryStart(key: string, forMs: number): boolean;
  /** The same, waiting for its turn. */
  start(key: string, forMs: number): Promise<void>;
  /** Somebody has the key: the next may go. */
  seen(key: string): void;
  /** Nobody is there to take them: all may go at once. */
  open(): void;
  close(): void;
}

/** `next` is called when a key may go and none was waiting for it. */
export function createPace(atOnce: number, next: () => void): Pace {
  const away = new Map<string, NodeJS.Timeout>();
  const waiting: (() => void)[] = [];
  let isOpen = false;

  const seen = (key: string) => {
    if (!away.has(key)) return;
    clearTimeout(away.get(key));
    away.delete(key);
    const first = waiting.shift();
    if (first) first();
    else next();
  };
  const tryStart = (key: string, forMs: number) => {
    if (!isOpen && away.size >= atOnce) return false;
    clearTimeout(away.get(key));
    away.set(
      key,
      setTimeout(() => seen(key), forMs),
    );
    return true;
  };
  return {
    tryStart,
    async start(key, forMs) {
      while (!tryStart(key, forMs)) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    seen,
    open() {
      isOpen = true;
      for (const start of waiting.splice(0)) start();
    },
    close() {
      for (const timer of away.values()) clearTimeout(timer);
      away.clear();
    },
  };
}
