// Many commands to Redis in one round.
import type { Redis } from "@parley/runtime";

/** Their answers in order; of none at once. Throws the first error, and while Redis is away. */
export async function answersOf(asked: ReturnType<Redis["pipeline"]>): Promise<unknown[]> {
  if (asked.length === 0) return [];
  return ((await asked.exec()) ?? []).map(([error, answer]) => {
    if (error) throw error;
    return answer;
  });
}
