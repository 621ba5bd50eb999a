// The log as its readers see it: of each conversation the union of all members' views.
import type { Copy, Period, RunRecord } from "./record.ts";

/** conv → seq → the message */
export type Log = ReadonlyMap<string, ReadonlyMap<number, Copy>>;

export function logOf({ readers }: RunRecord): Log {
  const log = new Map<string, Map<number, Copy>>();
  for (const { views } of readers)
    for (const [conv, { messages }] of views) {
      const known = log.get(conv) ?? new Map<number, Copy>();
      log.set(conv, known);
      for (const copy of messages) if (!known.has(copy.seq)) known.set(copy.seq, copy);
    }
  return log;
}

/** What a message is called in a violation. */
export function nameOf({ conv, device, id }: { conv: string; device: string; id: string }): string {
  return `${id} of ${device} to ${conv}`;
}

/** Equal for two copies of the same message, whoever has them. */
export function same(one: Copy, other: Copy): boolean {
  return (
    one.id === other.id &&
    one.device === other.device &&
    one.from === other.from &&
    one.type === other.type &&
    one.body === other.body &&
    one.conv === other.conv &&
    one.seq === other.seq
  );
}

/** True where a message was under way, or a question asked, within the period; without an answer: at its beginning. */
export function overlaps(
  { firstAt, answeredAt = firstAt }: { firstAt: number; answeredAt?: number },
  [from, to]: Period,
): boolean {
  return firstAt <= to && answeredAt >= from;
}
