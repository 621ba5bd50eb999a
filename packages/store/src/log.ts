// The port MessageLog: every entry of every conversation, in 256 partitions, each with one writer.

/** One message or membership event, as stored. */
export type LogEntry = {
  /** The conversation's partition, 0 … 255: a function of `conv`. */
  q: number;
  /** Position in the partition: exactly the one before + 1, from 1. */
  pos: number;
  conv: string;
  /** Position in the conversation, from 1, without gaps. */
  seq: number;
  /** How many messages that count as unread exist in the conversation up to and including this one. */
  ord: number;
  from: string;
  device: string;
  id: string;
  /** `content.type` of the packet. */
  type: string;
  /** Milliseconds since 1970. */
  ts: number;
  /** null: an MQTT packet carried it; else what did ("api", …). */
  origin: string | null;
  /** The membership event, opaque to the log; null if the entry is none. */
  event: Readonly<Record<string, unknown>> | null;
  /** `seq` of the last membership event up to and including this one; 0 if there is none. */
  memberSeq: number;
  /** The sender's packet, as sent; empty once erased. */
  body: Uint8Array;
};

/** An entry as readers are shown it. Its body may come as text, which is then the same bytes as UTF-8. */
export type ReadEntry = Pick<LogEntry, "conv" | "seq" | "from" | "device" | "id" | "type" | "ts" | "event"> & {
  body: Uint8Array | string;
};

/** The idempotency key: unique in the log. */
export type EntryKey = { conv: string; from: string; device: string; id: string };

/** Where a partition ends; `pos` 0: it has no entry. */
export type LogPosition = { pos: number };

export type RangeQuery = {
  /** Only entries with a higher `seq`. */
  after?: number;
  /** Only entries with a lower `seq`. Without `after`: the newest `limit` of them. */
  before?: number;
  limit: number;
  /** Stop before the sum of the bodies passes this; at least one entry is answered. */
  maxBytes?: number;
};

/** All methods throw StoreError: `unavailable`, `full`, `append` and `restore` also `duplicate_key` and `gap`. */
export interface MessageLog {
  /**
   * Stores the batch in order and resolves when it is durable. It stops at the first failure: what is stored is always a
   * prefix. `duplicate_key` (details: q, pos, conv, seq of the refused entry) is the fence: another writer was here, or
   * the message is stored already. `unavailable`: the outcome is unknown, any prefix may be stored, now or in a moment; the
   * writer reads `last`, looks up each message and appends the rest at new positions. What was still on its way then meets
   * a `pos` that is taken, and is stored in no part. `gap`: the batch is not of this partition or not one `pos` after the other.
   */
  append(q: number, batch: readonly LogEntry[]): Promise<void>;

  /**
   * `append` for a copy of another log, holes included: each `pos` is above the one before and above the last one stored,
   * else `gap`. Whoever appends next goes on behind it.
   */
  restore(q: number, entries: readonly LogEntry[]): Promise<void>;

  last(q: number): Promise<LogPosition>;

  /** The last entry of each of these conversations; one that has none is missing from the answer. */
  heads(convs: readonly string[]): Promise<Map<string, LogEntry>>;

  /** Entries of a conversation, oldest first. */
  range(conv: string, query: RangeQuery): Promise<LogEntry[]>;

  /** The same for a page that is shown: what only the log itself needs is left out, which is two to three times as quick. */
  read(conv: string, query: RangeQuery): Promise<ReadEntry[]>;

  /** Entries of a partition with `pos` above `afterPos`, in order. */
  follow(q: number, afterPos: number, limit: number): Promise<LogEntry[]>;

  at(q: number, pos: number): Promise<LogEntry | undefined>;

  /** One answer a key, in the order of the keys. */
  find(keys: readonly EntryKey[]): Promise<(LogEntry | undefined)[]>;

  /** The distinct `from` of entries with `after < seq ≤ upTo`, in order of their names. */
  senders(conv: string, after: number, upTo: number, limit: number): Promise<string[]>;

  /**
   * Empties the body of an entry, puts `event` in place of its own where one (or null) is given, and keeps the rest; false if
   * there is no such entry.
   */
  blank(conv: string, seq: number, event?: LogEntry["event"]): Promise<boolean>;

  /**
   * Takes what its sender gave out of these entries and keeps their places: body, `event`, `device` and `id`. Of a membership
   * event only `device` and `id` go, and a recall keeps its `event`: the rest is what the log is folded by. Again is harmless.
   */
  erase(conv: string, seqs: readonly number[]): Promise<void>;

  /**
   * Removes entries below `firstSeq`, never the last one of the conversation nor the last one of its partition.
   * Answers how many it removed.
   */
  retain(conv: string, firstSeq: number): Promise<number>;

  /** The lowest stored `seq` of a conversation; 0 if it has none. */
  first(conv: string): Promise<number>;
}
