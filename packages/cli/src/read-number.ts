// Numbers among the flags: how many, since which, how long.
import { UsageError } from "./failure.ts";

/** A whole number of at most nine digits, none below `least`; throws a UsageError that names the flag. */
export function readNumber(flag: string, text: string, least: 0 | 1): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
  throw new UsageError(`${flag} ${text}: a whole number from ${least} on is needed`);
}
