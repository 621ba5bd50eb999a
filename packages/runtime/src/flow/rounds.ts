// What many ask for at once is done together: one round at a time, and what comes meanwhile is the next one.

export interface RoundsOptions<In, Out> {
  /** Answers in the order of what was asked; an Error is that one's alone. Rejects: none of the round was done. */
  work(round: readonly In[]): Promise<readonly (Out | Error)[]>;
  /** in one round */
  most: number;
}

/** Resolves with its own answer, and rejects with its own Error or that of its round. A lone one waits for nothing. */
export function openRounds<In, Out>({ work, most }: RoundsOptions<In, Out>): (one: In) => Promise<Out> {
  let waiting: { one: In; resolve(answer: Out): void; reject(error: unknown): void }[] = [];
  let isRunning = false;

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const round = waiting.slice(0, most);
      waiting = waiting.slice(most);
      try {
        const answers = await work(round.map(({ one }) => one));
        for (const [index, { resolve, reject }] of round.entries()) {
          const answer = answers[index] ?? new Error("a round left one out");
          if (answer instanceof Error) reject(answer);
          else resolve(answer);
        }
      } catch (error) {
        for (const { reject } of round) reject(error);
      }
    }
    isRunning = false;
  }

  return (one) =>
    new Promise((resolve, reject) => {
      waiting.push({ one, resolve, reject });
      if (isRunning) return;
      isRunning = true;
      // What is asked for in this turn goes together.
      setImmediate(() => void run());
    });
}
