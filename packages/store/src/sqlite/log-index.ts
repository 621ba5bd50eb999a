// Where the log's entries are: an index in the database that is written behind the log, and in memory what it does not have yet.
import type { EntryKey } from "../log.ts";
import { StoreError } from "../store-error.ts";
import type { Database } from "./database.ts";
import { type Held, heldAt, lastHeld } from "./held.ts";
import { type Keys, Unindexed } from "./unindexed.ts";

const sql = {
  indexed: "SELECT value AS number FROM meta WHERE name = 'indexed'",
  setIndexed: "UPDATE meta SET value = ? WHERE name = 'indexed'",
  unindexed: 'SELECT entry AS "row", q, pos, conv, seq, sender, device, id FROM entries WHERE entry > ? ORDER BY entry',
  last: "SELECT pos AS number FROM by_position WHERE q = ? ORDER BY pos DESC LIMIT 1",
  lastSeq: "SELECT seq AS number FROM by_seq WHERE conv = ? ORDER BY seq DESC LIMIT 1",
  position: "INSERT OR IGNORE INTO by_position (q, pos, entry) VALUES (?, ?, ?)",
  seq: "INSERT OR IGNORE INTO by_seq (conv, seq, entry) VALUES (?, ?, ?)",
  key: "INSERT OR IGNORE INTO by_key (id, conv, sender, device, entry) VALUES (?, ?, ?, ?, ?)",
  removePosition: "DELETE FROM by_position WHERE q = ? AND pos = ?",
  removeSeq: "DELETE FROM by_seq WHERE conv = ? AND seq = ?",
  removeKey: "DELETE FROM by_key WHERE id = ? AND conv = ? AND sender = ? AND device = ?",
  find: "SELECT entry AS number FROM by_key WHERE id = ? AND conv = ? AND sender = ? AND device = ?",
};

/** How the index is written. */
export type IndexPace = {
  /**
   * So many entries are indexed together: neighbours in the index, of which there are the more the more entries there are, share
   * the pages that are written. Up to twice as many are in memory (about 400 bytes each), and are read at a start.
   */
  batchEntries: number;
  /** Rows that are written together, while appends wait: often and shortly. */
  leastRows: number;
  mostRows: number;
};

const usualPace: IndexPace = { batchEntries: 20_000, leastRows: 300, mostRows: 1_000 };
const rowsOfEntry = 3;
// A batch is through before the next one has gathered.
const rowsForEntry = 2 * rowsOfEntry;

const absentMax = 5_000;

/** Rows of the index that are written together. */
type Slice = { positions: Keys[]; seqs: Keys[]; keys: Keys[]; rows: number; isLast: boolean };
type Batch = { entries: Unindexed; positions: Keys[]; slice: Slice | undefined };

/** Everything but `open` and `written` is called inside a write, or reads. */
export class LogIndex {
  readonly #database: Database;
  readonly #pace: IndexPace;
  #gathering = new Unindexed();
  #batch: Batch | undefined;
  /** rows that are due */
  #due = 0;
  #isWriting = false;
  readonly #lasts = new Map<number, number>();
  /** by `id`, keys that were looked for and are not there: who asks before it appends is not answered by the index twice */
  readonly #absent = new Map<string, EntryKey>();
  #onCommit: (() => void)[] = [];
  #onRollBack: (() => void)[] = [];

  private constructor(database: Database, pace: IndexPace) {
    this.#database = database;
    this.#pace = pace;
    database.ended = (isCommitted) => this.#ended(isCommitted);
  }

  /** Reads what the index does not have. */
  static open(database: Database, pace = usualPace): Promise<LogIndex> {
    return database.read(() => {
      const index = new LogIndex(database, pace);
      const indexed = index.#number(sql.indexed) ?? 0;
      for (const row of database.statement(sql.unindexed).iterate(indexed)) {
        const { sender: from, ...rest } = row as Omit<Keys, "from" | "isGone"> & { sender: string };
        index.#gathering.add({ ...rest, from, isGone: false });
      }
      return index;
    });
  }

  /** An entry that this write has stored. */
  add(keys: Omit<Keys, "isGone">): void {
    const [added, entries] = [{ ...keys, isGone: false }, this.#gathering];
    entries.add(added);
    this.#absent.delete(keys.id);
    this.#lasts.set(keys.q, keys.pos);
    this.#onRollBack.push(() => {
      entries.takeBack(added);
      this.#lasts.delete(added.q);
    });
  }

  /** So many entries are stored: writes on at the index, in proportion. */
  written(entries: number): void {
    if (!this.#batch && this.#gathering.size >= this.#pace.batchEntries) this.#beginBatch();
    if (!this.#batch) return;
    this.#due += entries * rowsForEntry;
    if (!this.#isWriting && this.#due >= this.#pace.leastRows) void this.#writeDue();
  }

  /** `pos` of the last entry. */
  last(q: number): number {
    const known = this.#lasts.get(q);
    if (known !== undefined) return known;
    const last = lastHeld(this.partition(q))?.pos ?? this.#number(sql.last, q) ?? 0;
    this.#lasts.set(q, last);
    return last;
  }

  /** The last entry's `seq`. */
  lastSeq(conv: string): number {
    return lastHeld(this.conversation(conv))?.seq ?? this.#number(sql.lastSeq, conv) ?? 0;
  }

  /** Those in memory, by `pos`: no other entry of the partition has a higher one. */
  partition(q: number): Held {
    const recent = this.#gathering.partition(q);
    return this.#batch ? [this.#batch.entries.partition(q), recent] : [recent];
  }

  /** Those in memory, by `seq`: no other entry of the conversation has a higher one. */
  conversation(conv: string): Held {
    const recent = this.#gathering.conversation(conv);
    return this.#batch ? [this.#batch.entries.conversation(conv), recent] : [recent];
  }

  /** The row of the entry. */
  find(key: EntryKey): number | undefined {
    const known = this.#gathering.find(key) ?? this.#batch?.entries.find(key);
    if (known) return known.row;
    const absent = this.#absent.get(key.id);
    if (absent && isSame(absent, key)) return undefined;
    const row = this.#number(sql.find, ...valuesOf(key));
    if (row === undefined) this.#noteAbsent(key);
    return row;
  }

  #noteAbsent({ conv, from, device, id }: EntryKey): void {
    if (this.#absent.size >= absentMax) this.#absent.clear();
    this.#absent.set(id, { conv, from, device, id });
  }

  /** The entry is stored under another key. */
  rename(old: Omit<Keys, "isGone">, key: Pick<EntryKey, "device" | "id">): void {
    this.#run(sql.removeKey, ...valuesOf(old));
    this.#absent.delete(key.id);
    const held = this.#held(old);
    if (!held) {
      this.#run(sql.key, ...valuesOf({ ...old, ...key }), old.row);
      return;
    }
    const { keys, entries } = held;
    const before = { device: keys.device, id: keys.id };
    entries.rename(keys, key);
    this.#onRollBack.push(() => entries.rename(keys, before));
    // It may have been written already.
    if (entries !== this.#gathering) this.#run(sql.key, ...valuesOf(keys), keys.row);
  }

  /** The entry is removed. */
  remove(gone: Omit<Keys, "isGone">): void {
    this.#run(sql.removePosition, gone.q, gone.pos);
    this.#run(sql.removeSeq, gone.conv, gone.seq);
    this.#run(sql.removeKey, ...valuesOf(gone));
    const held = this.#held(gone);
    if (!held) return;
    const { keys, entries } = held;
    keys.isGone = true;
    this.#onCommit.push(() => entries.remove(keys));
    this.#onRollBack.push(() => {
      keys.isGone = false;
    });
  }

  #held({ conv, seq }: Pick<Keys, "conv" | "seq">): { keys: Keys; entries: Unindexed } | undefined {
    for (const entries of [this.#gathering, this.#batch?.entries]) {
      const keys = entries && heldAt([entries.conversation(conv)], "seq", seq);
      if (keys) return { keys, entries };
    }
    return undefined;
  }

  #ended(isCommitted: boolean): void {
    if (!isCommitted) this.#absent.clear();
    for (const work of isCommitted ? this.#onCommit : this.#onRollBack.reverse()) work();
    this.#onCommit = [];
    this.#onRollBack = [];
  }

  #beginBatch(): void {
    const entries = this.#gathering;
    this.#gathering = new Unindexed();
    this.#batch = { entries, positions: entries.byPosition(), slice: undefined };
    this.#due = 0;
  }

  async #writeDue(): Promise<void> {
    this.#isWriting = true;
    try {
      while (this.#batch && this.#due >= this.#pace.leastRows) await this.#writeSlice(this.#batch);
    } catch (error) {
      // Appends fail as this does, and the next one that does not begins again.
      if (!(error instanceof StoreError)) throw error;
    } finally {
      this.#isWriting = false;
    }
  }

  async #writeSlice(batch: Batch): Promise<void> {
    // Where much comes at once, as in a copy, memory counts for more.
    const isBehind = this.#gathering.size > this.#pace.batchEntries;
    const rows = isBehind ? this.#due : Math.min(this.#due, this.#pace.mostRows);
    // What a full disk has refused is written again.
    batch.slice ??= takeSlice(batch, rows);
    const slice = batch.slice;
    await this.#database.write(slice.rows, () => {
      for (const keys of slice.positions) if (!keys.isGone) this.#run(sql.position, keys.q, keys.pos, keys.row);
      for (const keys of slice.seqs) if (!keys.isGone) this.#run(sql.seq, keys.conv, keys.seq, keys.row);
      for (const keys of slice.keys) if (!keys.isGone) this.#run(sql.key, ...valuesOf(keys), keys.row);
      if (slice.isLast) this.#run(sql.setIndexed, batch.entries.lastRow);
    });
    batch.slice = undefined;
    this.#due -= slice.rows;
    if (!slice.isLast) return;
    this.#batch = undefined;
    if (this.#gathering.size >= this.#pace.batchEntries) this.#beginBatch();
  }

  #run(text: string, ...values: (string | number)[]): void {
    this.#database.statement(text).run(...values);
  }

  #number(text: string, ...values: (string | number)[]): number | undefined {
    const row = this.#database.statement(text).get(...values);
    return row && Number(row.number);
  }
}

function takeSlice({ entries, positions }: Batch, rows: number): Slice {
  const first = positions.splice(0, rows);
  const seqs = entries.bySeq.take(rows - first.length);
  const keys = entries.byKey.take(rows - first.length - seqs.length);
  return { positions: first, seqs, keys, rows, isLast: first.length + seqs.length + keys.length < rows };
}

function isSame(a: EntryKey, b: EntryKey): boolean {
  return a.id === b.id && a.conv === b.conv && a.from === b.from && a.device === b.device;
}

function valuesOf({ id, conv, from, device }: EntryKey): [string, string, string, string] {
  return [id, conv, from, device];
}
