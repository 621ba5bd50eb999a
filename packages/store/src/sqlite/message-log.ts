// The port MessageLog on SQLite: one table, one transaction for all that is appended in one turn.
import type { SQLInputValue } from "node:sqlite";
import type { EntryKey, LogEntry, LogPosition, MessageLog, RangeQuery, ReadEntry } from "../log.ts";
import { StoreError } from "../store-error.ts";
import type { Database } from "./database.ts";
import { columns, eventText, fromRow, toRow } from "./entry-rows.ts";
import { readEntries } from "./read-entries.ts";
import { brokenConstraint } from "./sqlite-error.ts";

const select = `SELECT ${columns} FROM entries`;
const sql = {
  insert: `INSERT INTO entries (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  exists: "SELECT 1 FROM entries WHERE q = ? AND pos = ?",
  last: "SELECT max(pos) AS pos FROM entries WHERE q = ?",
  head: `${select} WHERE conv = ? ORDER BY seq DESC LIMIT 1`,
  rangeUp: `${select} WHERE conv = ? AND seq > ? AND seq < ? ORDER BY seq LIMIT +?`,
  rangeDown: `${select} WHERE conv = ? AND seq > ? AND seq < ? ORDER BY seq DESC LIMIT +?`,
  follow: `${select} WHERE q = ? AND pos > ? ORDER BY pos LIMIT +?`,
  at: `${select} WHERE q = ? AND pos = ?`,
  find: `${select} WHERE id = ? AND conv = ? AND sender = ? AND device = ?`,
  senders: "SELECT DISTINCT sender FROM entries WHERE conv = ? AND seq > ? AND seq <= ? ORDER BY sender LIMIT +?",
  blank: "UPDATE entries SET body = x'' WHERE conv = ? AND seq = ?",
  erase: `UPDATE entries SET device = '',
            id = 'erased-' || seq,
            body = CASE type WHEN 'event' THEN body ELSE x'' END,
            event = CASE WHEN type IN ('event', 'recall') THEN event ELSE NULL END
          WHERE conv = ? AND seq = ?`,
  blankWith: "UPDATE entries SET body = x'', event = ? WHERE conv = ? AND seq = ?",
  retain: "DELETE FROM entries WHERE conv = ? AND seq < ?",
  first: "SELECT min(seq) AS seq FROM entries WHERE conv = ?",
};
// Removing more at once would let appends wait.
const retainStep = 500;

export class SqliteMessageLog implements MessageLog {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  append(q: number, batch: readonly LogEntry[]): Promise<void> {
    return this.#database.write(batch.length, () => {
      let next = batch[0]?.pos ?? 0;
      if (next > 1 && !this.#statement(sql.exists).get(q, next - 1)) throw gap(q, next);
      for (const entry of batch) {
        if (entry.q !== q || entry.pos !== next) throw gap(q, entry.pos);
        this.#insert(entry);
        next++;
      }
    });
  }

  restore(q: number, entries: readonly LogEntry[]): Promise<void> {
    return this.#database.write(entries.length, () => {
      let last = this.#number(sql.last, "pos", q);
      for (const entry of entries) {
        if (entry.q !== q || entry.pos <= last) throw gap(q, entry.pos);
        this.#insert(entry);
        last = entry.pos;
      }
    });
  }

  last(q: number): Promise<LogPosition> {
    return this.#database.read(() => ({ pos: this.#number(sql.last, "pos", q) }));
  }

  heads(convs: readonly string[]): Promise<Map<string, LogEntry>> {
    return this.#database.read(() => {
      const found = new Map<string, LogEntry>();
      for (const conv of convs) {
        const entry = this.#one(sql.head, conv);
        if (entry) found.set(conv, entry);
      }
      return found;
    });
  }

  range(conv: string, { after, before, limit, maxBytes = Number.POSITIVE_INFINITY }: RangeQuery): Promise<LogEntry[]> {
    return this.#database.read(() => {
      const statement = this.#statement(after === undefined ? sql.rangeDown : sql.rangeUp);
      const entries: LogEntry[] = [];
      let bytes = 0;
      for (const row of statement.iterate(conv, after ?? 0, before ?? Number.MAX_SAFE_INTEGER, atLeast0(limit))) {
        const entry = fromRow(row);
        bytes += entry.body.length;
        if (bytes > maxBytes && entries.length > 0) break;
        entries.push(entry);
      }
      return after === undefined ? entries.reverse() : entries;
    });
  }

  read(conv: string, query: RangeQuery): Promise<ReadEntry[]> {
    return this.#database.read(() => readEntries(this.#database, conv, query));
  }

  follow(q: number, afterPos: number, limit: number): Promise<LogEntry[]> {
    return this.#database.read(() => this.#statement(sql.follow).all(q, afterPos, atLeast0(limit)).map(fromRow));
  }

  at(q: number, pos: number): Promise<LogEntry | undefined> {
    return this.#database.read(() => this.#one(sql.at, q, pos));
  }

  find(keys: readonly EntryKey[]): Promise<(LogEntry | undefined)[]> {
    return this.#database.read(() =>
      keys.map(({ conv, from, device, id }) => this.#one(sql.find, id, conv, from, device)),
    );
  }

  senders(conv: string, after: number, upTo: number, limit: number): Promise<string[]> {
    return this.#database.read(() =>
      this.#statement(sql.senders)
        .all(conv, after, upTo, atLeast0(limit))
        .map(({ sender }) => String(sender)),
    );
  }

  blank(conv: string, seq: number, event?: LogEntry["event"]): Promise<boolean> {
    this.#database.noteRemoval();
    return this.#database.write(1, () => {
      const { changes } =
        event === undefined
          ? this.#statement(sql.blank).run(conv, seq)
          : this.#statement(sql.blankWith).run(eventText(event), conv, seq);
      return changes === 1;
    });
  }

  erase(conv: string, seqs: readonly number[]): Promise<void> {
    this.#database.noteRemoval();
    return this.#database.write(seqs.length, () => {
      for (const seq of seqs) this.#statement(sql.erase).run(conv, seq);
    });
  }

  async retain(conv: string, firstSeq: number): Promise<number> {
    // A conversation's last entry stays, and with it the partition's: that one is the last of its conversation too.
    const last = (await this.heads([conv])).get(conv)?.seq ?? 0;
    const end = Math.min(firstSeq, last);
    let removed = 0;
    for (let seq = await this.first(conv); seq < end; seq += retainStep) {
      removed += await this.#removeBelow(conv, Math.min(seq + retainStep, end));
    }
    return removed;
  }

  first(conv: string): Promise<number> {
    return this.#database.read(() => this.#number(sql.first, "seq", conv));
  }

  #removeBelow(conv: string, seq: number): Promise<number> {
    this.#database.noteRemoval();
    return this.#database.write(retainStep, () => Number(this.#statement(sql.retain).run(conv, seq).changes));
  }

  #insert(entry: LogEntry): void {
    try {
      this.#statement(sql.insert).run(...toRow(entry));
    } catch (error) {
      const columns = brokenConstraint(error);
      if (columns === undefined) throw error;
      const { q, pos, conv, seq } = entry;
      throw new StoreError("duplicate_key", `the log has an entry with the same ${columns}`, {
        cause: error,
        details: { q, pos, conv, seq },
      });
    }
  }

  #statement(text: string) {
    return this.#database.statement(text);
  }

  #one(text: string, ...values: SQLInputValue[]): LogEntry | undefined {
    const row = this.#statement(text).get(...values);
    return row && fromRow(row);
  }

  #number(text: string, column: string, value: SQLInputValue): number {
    return Number(this.#statement(text).get(value)?.[column] ?? 0);
  }
}

function atLeast0(limit: number): number {
  return Math.max(0, limit);
}

function gap(q: number, pos: number): StoreError {
  return new StoreError("gap", `entry ${pos} does not follow the last one of partition ${q}`, { details: { q, pos } });
}
