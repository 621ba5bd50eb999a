// What a sender is told of a message: where it is stored, or why not.
import { type AppendOutcome, type ErrorCode, errorTable } from "@parley/protocol";

export function refusal(
  code: ErrorCode,
  message: string = errorTable[code].meaning,
  details?: Readonly<Record<string, unknown>>,
): AppendOutcome {
  return { error: { code, message, ...(details ? { details } : {}) } };
}
