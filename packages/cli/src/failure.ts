// How a failure is told: one line on stderr and an exit code that scripts can act on.
import { AppError } from "@parley/client";

export const exitCodes = { ok: 0, failure: 1, usage: 2, unauthenticated: 3, unavailable: 4 } as const;

/** The command was given something it cannot mean. */
export class UsageError extends Error {}

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage;
  if (!(error instanceof AppError)) return exitCodes.failure;
  if (error.code === "unauthenticated") return exitCodes.unauthenticated;
  return error.code === "unavailable" ? exitCodes.unavailable : exitCodes.failure;
}

/** One line; for `--json` an object like the server's own errors. */
export function describeFailure(error: unknown, json: boolean): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof AppError ? error.code : error instanceof UsageError ? "usage" : "failure";
  return json ? JSON.stringify({ error: { code, message } }) : `parley: ${message.replaceAll(/\s*\n\s*/g, "; ")}`;
}
