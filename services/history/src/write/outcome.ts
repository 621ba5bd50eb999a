// What a sender is told of a message: where it is stored, or why not.
import { type AppendOutcome, type ErrorCode, errorTable } from "@parley/protocol";

export function refusal(
  code: ErrorCode,
  message: string = errorTable[code].meaning,
  details?: Readonly<Record<string, unknown>>,
): AppendOutcome {
  return { error: { code, message, ...(details ? { details } : {}) } };
}

/** Of who never was, was erased, or may not be known of. */
export const noSuchUser: AppendOutcome = refusal("not_found", "no such user");
