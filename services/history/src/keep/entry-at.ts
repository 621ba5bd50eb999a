// One entry of the log, by its conversation and `seq`.
import type { LogEntry, MessageLog } from "@parley/store";

/** undefined: none stands there, or no `seq` was given. */
export async function entryAt(
  { log }: { log: Pick<MessageLog, "range"> },
  conv: string,
  seq: number | undefined,
): Promise<LogEntry | undefined> {
  if (seq === undefined) return undefined;
  return (await log.range(conv, { after: seq - 1, before: seq + 1, limit: 1 }))[0];
}
