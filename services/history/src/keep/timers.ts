// When messages disappear: kept before the message is stored, and gone when nothing is left of it. The log says whether the
// message came to stand there.
import type { EntryKey, LogEntry } from "@parley/store";

export interface Timer extends EntryKey {
  seq: number;
  /** unix ms: when it disappears; absent: it has not been read yet */
  at?: number;
  /** seconds from its first reading by anybody but its sender */
  afterRead?: number;
  /** its conversation, while it waits to be read */
  waits?: string;
}

/** Key of the timer of message `seq`. A conversation holds no space. */
export function timerKey({ conv, seq }: { conv: string; seq: number }): string {
  return `${conv} ${seq}`;
}

/** What the log keeps of it in the `event` of the message, and of its edits. */
export interface KeptExpiry {
  expiresAt?: number;
  expiresAfterRead?: number;
}

export function keptExpiry({ event }: Pick<LogEntry, "event">): KeptExpiry {
  return (event ?? stays) as KeptExpiry;
}

const stays: KeptExpiry = {};

/** Who brought the recall of a message whose time is over. */
export const expiryOrigin = "expiry";

/** The same without anything else. */
export function expiryOf(entry: Pick<LogEntry, "event">): KeptExpiry {
  const { expiresAt, expiresAfterRead } = keptExpiry(entry);
  return { ...(expiresAt && { expiresAt }), ...(expiresAfterRead && { expiresAfterRead }) };
}

/** The timer of a new message; undefined: it does not disappear. */
export function timerOf(entry: LogEntry): Timer | undefined {
  const { expiresAt, expiresAfterRead } = keptExpiry(entry);
  if (expiresAt === undefined && expiresAfterRead === undefined) return undefined;
  const { conv, from, device, id, seq } = entry;
  const key = { conv, from, device, id, seq };
  return expiresAt === undefined ? { ...key, afterRead: expiresAfterRead!, waits: conv } : { ...key, at: expiresAt };
}

/** True if its time is over, as far as the log alone tells. */
export function isOver(entry: Pick<LogEntry, "event">, now: number): boolean {
  const { expiresAt = Number.POSITIVE_INFINITY } = keptExpiry(entry);
  return expiresAt <= now;
}
