// Many commands to Redis in one round.
import type { Redis } from "@parley/runtime";

/** Their answers in order. Throws the first error, and while Redis is away. */
export async function answersOf(asked: ReturnType<Redis["pipeline"]>): Promise<unknown[]> {
  return ((await asked.exec()) ?? []).map(([error, answer]) => {
    if (error) throw error;
    return answer;
  });
}
