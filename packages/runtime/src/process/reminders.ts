// What goes on and would be said each time is said once, and again every ten seconds.

const everyMs = 10_000;

/** `isDue(key)`: true when the line of that key is to be said now. Keys are words of the code, and few. */
export function openReminders(now: () => number = () => performance.now()): { isDue(key: string): boolean } {
  const saidAt = new Map<string, number>();
  return {
    isDue(key) {
      const last = saidAt.get(key);
      if (last !== undefined && now() - last < everyMs) return false;
      saidAt.set(key, now());
      return true;
    },
  };
}
