// The port MessageLog on SQLite: one table, one transaction for all that is appended in one turn. Where its entries are says
// the index, which is written behind them.
import type { SQLInputValue } from "node:sqlite";
import type { EntryKey, LogEntry, LogPosition, MessageLog, RangeQuery, ReadEntry } from "../log.ts";
import { StoreError } from "../store-error.ts";
import type { Database } from "./database.ts";
import { columns, eventText, fromRow, ofEntries, toRow } from "./entry-rows.ts";
import { firstHeld, heldAt, heldDown, heldUp, lastHeld } from "./held.ts";
import { type IndexPace, LogIndex } from "./log-index.ts";
import { readEntries } from "./read-entries.ts";
import type { Keys } from "./unindexed.ts";

const bySeq = `SELECT ${ofEntries} FROM by_seq JOIN entries USING (entry) WHERE by_seq.conv = ?`;
const byPosition = `SELECT ${ofEntries} FROM by_position JOIN entries USING (entry) WHERE by_position.q = ?`;
const sql = {
  insert: `INSERT INTO entries (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  read: `SELECT ${columns} FROM entries WHERE entry = ?`,
  head: `${bySeq} ORDER BY by_seq.seq DESC LIMIT 1`,
  rangeUp: `${bySeq} AND by_seq.seq > ? AND by_seq.seq < ? ORDER BY by_seq.seq LIMIT +?`,
  rangeDown: `${bySeq} AND by_seq.seq > ? AND by_seq.seq < ? ORDER BY by_seq.seq DESC LIMIT +?`,
  follow: `${byPosition} AND by_position.pos > ? AND by_position.pos < ? ORDER BY by_position.pos LIMIT +?`,
  at: `${byPosition} AND by_position.pos = ?`,
  senders: `SELECT DISTINCT sender FROM by_seq JOIN entries USING (entry)
            WHERE by_seq.conv = ? AND by_seq.seq > ? AND by_seq.seq <= ? ORDER BY sender LIMIT +?`,
  row: "SELECT entry FROM by_seq WHERE conv = ? AND seq = ?",
  rowsBelow: "SELECT entry FROM by_seq WHERE conv = ? AND seq < ?",
  keys: 'SELECT entry AS "row", q, pos, conv, seq, sender AS "from", device, id FROM entries WHERE entry = ?',
  blank: "UPDATE entries SET body = x'' WHERE entry = ?",
  erase: `UPDATE entries SET device = ?,
            id = ?,
            body = CASE type WHEN 'event' THEN body ELSE x'' END,
            event = CASE WHEN type IN ('event', 'recall') THEN event ELSE NULL END
          WHERE entry = ?`,
  blankWith: "UPDATE entries SET body = x'', event = ? WHERE entry = ?",
  remove: "DELETE FROM entries WHERE entry = ?",
  first: "SELECT seq FROM by_seq WHERE conv = ? ORDER BY seq LIMIT 1",
};
// Removing more at once would let appends wait.
const retainStep = 500;

export class SqliteMessageLog implements MessageLog {
  readonly #database: Database;
  readonly #index: LogIndex;

  private constructor(database: Database, index: LogIndex) {
    this.#database = database;
    this.#index = index;
  }

  static async open(database: Database, pace?: IndexPace): Promise<SqliteMessageLog> {
    return new SqliteMessageLog(database, await LogIndex.open(database, pace));
  }

  append(q: number, batch: readonly LogEntry[]): Promise<void> {
    return this.#write(batch, (entry) => {
      if (entry.q !== q || entry.pos > this.#index.last(q) + 1) throw gap(q, entry.pos);
    });
  }

  restore(q: number, entries: readonly LogEntry[]): Promise<void> {
    return this.#write(entries, (entry) => {
      if (entry.q !== q || entry.pos <= this.#index.last(q)) throw gap(q, entry.pos);
    });
  }

  last(q: number): Promise<LogPosition> {
    return this.#database.read(() => ({ pos: this.#index.last(q) }));
  }

  heads(convs: readonly string[]): Promise<Map<string, LogEntry>> {
    return this.#database.read(() => {
      const found = new Map<string, LogEntry>();
      for (const conv of convs) {
        const recent = lastHeld(this.#index.conversation(conv));
        const entry = recent ? this.#read(recent.row) : this.#one(sql.head, conv);
        if (entry) found.set(conv, entry);
      }
      return found;
    });
  }

  range(conv: string, { after, before, limit, maxBytes = Number.POSITIVE_INFINITY }: RangeQuery): Promise<LogEntry[]> {
    return this.#database.read(() => {
      const [low, high] = [after ?? 0, before ?? Number.MAX_SAFE_INTEGER];
      const found =
        after === undefined ? this.#down(conv, high, atLeast0(limit)) : this.#up(conv, [low, high], atLeast0(limit));
      const entries: LogEntry[] = [];
      let bytes = 0;
      for (const entry of found) {
        if (entries.length >= limit) break;
        bytes += entry.body.length;
        if (bytes > maxBytes && entries.length > 0) break;
        entries.push(entry);
      }
      return after === undefined ? entries.reverse() : entries;
    });
  }

  read(conv: string, query: RangeQuery): Promise<ReadEntry[]> {
    return this.#database.read(() => readEntries(this.#database, conv, query, this.#index.conversation(conv)));
  }

  follow(q: number, afterPos: number, limit: number): Promise<LogEntry[]> {
    return this.#database.read(() => {
      const recent = this.#index.partition(q);
      const end = firstHeld(recent)?.pos ?? Number.MAX_SAFE_INTEGER;
      const found = this.#statement(sql.follow).all(q, afterPos, end, atLeast0(limit)).map(fromRow);
      const more = heldUp(recent, "pos", [afterPos, Number.POSITIVE_INFINITY], atLeast0(limit - found.length));
      return [...found, ...more.map(({ row }) => this.#read(row))];
    });
  }

  at(q: number, pos: number): Promise<LogEntry | undefined> {
    return this.#database.read(() => {
      const recent = heldAt(this.#index.partition(q), "pos", pos);
      return recent ? this.#read(recent.row) : this.#one(sql.at, q, pos);
    });
  }

  find(keys: readonly EntryKey[]): Promise<(LogEntry | undefined)[]> {
    return this.#database.read(() =>
      keys.map((key) => {
        const row = this.#index.find(key);
        return row === undefined ? undefined : this.#read(row);
      }),
    );
  }

  senders(conv: string, after: number, upTo: number, limit: number): Promise<string[]> {
    return this.#database.read(() => {
      const recent = heldUp(this.#index.conversation(conv), "seq", [after, upTo + 1], Number.POSITIVE_INFINITY);
      const indexed = this.#statement(sql.senders).all(conv, after, upTo, atLeast0(limit));
      const names = new Set([...indexed.map(({ sender }) => String(sender)), ...recent.map(({ from }) => from)]);
      return [...names].sort(byBytes).slice(0, atLeast0(limit));
    });
  }

  blank(conv: string, seq: number, event?: LogEntry["event"]): Promise<boolean> {
    this.#database.noteRemoval();
    return this.#database.write(1, () => {
      const row = this.#rowOf(conv, seq);
      if (row === undefined) return false;
      if (event === undefined) this.#statement(sql.blank).run(row);
      else this.#statement(sql.blankWith).run(eventText(event), row);
      return true;
    });
  }

  erase(conv: string, seqs: readonly number[]): Promise<void> {
    this.#database.noteRemoval();
    return this.#database.write(seqs.length, () => {
      for (const seq of seqs) {
        const keys = this.#keysOf(this.#rowOf(conv, seq));
        if (!keys) continue;
        const key = { device: "", id: `erased-${seq}` };
        this.#statement(sql.erase).run(key.device, key.id, keys.row);
        this.#index.rename(keys, key);
      }
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
    return this.#database.read(
      () => this.#number(sql.first, "seq", conv) ?? firstHeld(this.#index.conversation(conv))?.seq ?? 0,
    );
  }

  #removeBelow(conv: string, seq: number): Promise<number> {
    this.#database.noteRemoval();
    return this.#database.write(retainStep, () => {
      const recent = heldDown(this.#index.conversation(conv), "seq", seq, Number.POSITIVE_INFINITY);
      const indexed = this.#statement(sql.rowsBelow).all(conv, seq);
      const rows = new Set([...indexed.map(({ entry }) => Number(entry)), ...recent.map(({ row }) => row)]);
      for (const keys of [...rows].flatMap((row) => this.#keysOf(row) ?? [])) {
        this.#statement(sql.remove).run(keys.row);
        this.#index.remove(keys);
      }
      return rows.size;
    });
  }

  /** `check` throws where an entry does not belong. */
  async #write(entries: readonly LogEntry[], check: (entry: LogEntry) => void): Promise<void> {
    await this.#database.write(entries.length, () => {
      for (const entry of entries) {
        check(entry);
        this.#insert(entry);
      }
    });
    this.#index.written(entries.length);
  }

  #insert(entry: LogEntry): void {
    const { q, pos, conv, seq, from, device, id } = entry;
    const key = { conv, from, device, id };
    if (pos <= this.#index.last(q)) throw taken(entry, "q and pos");
    if (seq <= this.#index.lastSeq(conv)) throw taken(entry, "conv and seq");
    if (this.#index.find(key) !== undefined) throw taken(entry, "conv, from, device and id");
    const { lastInsertRowid } = this.#statement(sql.insert).run(...toRow(entry));
    this.#index.add({ ...key, row: Number(lastInsertRowid), q, pos, seq });
  }

  // What is in memory comes behind all that is indexed; of what is being indexed the index may have some already.
  *#up(conv: string, [low, high]: readonly [number, number], limit: number): Iterable<LogEntry> {
    const recent = this.#index.conversation(conv);
    const end = Math.min(high, firstHeld(recent)?.seq ?? high);
    for (const row of this.#statement(sql.rangeUp).iterate(conv, low, end, limit)) yield fromRow(row);
    for (const { row } of heldUp(recent, "seq", [low, high], limit)) yield this.#read(row);
  }

  *#down(conv: string, high: number, limit: number): Iterable<LogEntry> {
    const recent = this.#index.conversation(conv);
    for (const { row } of heldDown(recent, "seq", high, limit)) yield this.#read(row);
    const end = Math.min(high, firstHeld(recent)?.seq ?? high);
    for (const row of this.#statement(sql.rangeDown).iterate(conv, 0, end, limit)) yield fromRow(row);
  }

  #rowOf(conv: string, seq: number): number | undefined {
    return heldAt(this.#index.conversation(conv), "seq", seq)?.row ?? this.#number(sql.row, "entry", conv, seq);
  }

  #keysOf(row: number | undefined): Omit<Keys, "isGone"> | undefined {
    return row === undefined ? undefined : (this.#statement(sql.keys).get(row) as Omit<Keys, "isGone"> | undefined);
  }

  #read(row: number): LogEntry {
    const found = this.#one(sql.read, row);
    if (!found)
      throw new StoreError("corrupt", `${this.#database.path}: the index names entry ${row}, which is not there`);
    return found;
  }

  #statement(text: string) {
    return this.#database.statement(text);
  }

  #one(text: string, ...values: SQLInputValue[]): LogEntry | undefined {
    const row = this.#statement(text).get(...values);
    return row && fromRow(row);
  }

  #number(text: string, column: string, ...values: SQLInputValue[]): number | undefined {
    const row = this.#statement(text).get(...values);
    return row && Number(row[column]);
  }
}

function atLeast0(limit: number): number {
  return Math.max(0, limit);
}

// As SQLite sorts text.
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function taken({ q, pos, conv, seq }: LogEntry, what: string): StoreError {
  return new StoreError("duplicate_key", `the log has an entry with the same ${what}`, {
    details: { q, pos, conv, seq },
  });
}

function gap(q: number, pos: number): StoreError {
  return new StoreError("gap", `entry ${pos} does not follow the last one of partition ${q}`, { details: { q, pos } });
}
