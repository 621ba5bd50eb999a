// Work of which each begins when the one before it is done, whether that failed or not.

export interface Turns {
  /** Runs it behind all of the same key that were begun; resolves and rejects as it does. */
  inTurn<T>(key: string, task: () => Promise<T>): Promise<T>;
  /** Until all of the key that were begun are done; undefined: there are none. Never rejects. */
  turnOf(key: string): Promise<void> | undefined;
  /** Until all of any key that were begun are done. Never rejects. */
  all(): Promise<unknown>;
}

function nothing(): void {}

export function createTurns(): Turns {
  const turns = new Map<string, Promise<void>>();
  return {
    inTurn(key, task) {
      const turn = (turns.get(key) ?? Promise.resolve()).then(task);
      const quiet = turn.then(nothing, nothing);
      turns.set(key, quiet);
      void quiet.then(() => {
        if (turns.get(key) === quiet) turns.delete(key);
      });
      return turn;
    },
    turnOf: (key) => turns.get(key),
    all: () => Promise.all(turns.values()),
  };
}
