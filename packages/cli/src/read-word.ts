// A flag that is one of a few words.
import { UsageError } from "./failure.ts";

/** Throws a UsageError that names the words. */
export function readWord<Word extends string>(flag: string, words: readonly Word[], given: string): Word {
  const word = words.find((one) => one === given);
  if (word === undefined) throw new UsageError(`${flag} is one of ${words.join(", ")}, not ${JSON.stringify(given)}`);
  return word;
}
