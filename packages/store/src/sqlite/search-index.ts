// The port SearchIndex on SQLite: FTS5 that keeps no text, and where each of its rows stands.
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextLoop } from "node:timers/promises";
import { phrasesOf } from "../search/phrases.ts";
import { wordsOf } from "../search/words.ts";
import type { FoundPage, IndexedMessage, SearchIndex, SearchIndexes, SearchQuery } from "../search-index.ts";
import { StoreError } from "../store-error.ts";
import { Database } from "./database.ts";
import type { Schema } from "./schema.ts";

// `version` is null where it is `seq`; `at` is in seconds. Ids grow as messages come: their order is the answers' order. `spans`
// says of every 1,024 ids from when to when their messages are. An index without text of its own can lose a row by its id alone.
// FTS5 gathers all places of a beginning that it has no index of before it answers the first: with one of three letters the most
// frequent takes 0.6 ms of a million messages, without 60.
const searchSchema: Schema = {
  kind: "search",
  steps: [
    `CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
     CREATE TABLE places (
       id INTEGER PRIMARY KEY,
       conv INTEGER NOT NULL,
       seq INTEGER NOT NULL,
       version INTEGER,
       at INTEGER NOT NULL,
       UNIQUE (conv, seq)
     ) STRICT;
     CREATE TABLE spans (span INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL) STRICT;
     CREATE VIRTUAL TABLE words USING fts5(
       text, content = '', contentless_delete = 1, prefix = '3', tokenize = "ascii tokenchars '_.@'"
     )`,
  ],
};

const sql = {
  nameId: "SELECT id FROM names WHERE name = ?",
  addName: "INSERT INTO names (name) VALUES (?)",
  lastId: "SELECT max(id) AS id FROM places",
  place: "SELECT id, coalesce(version, seq) AS version, at FROM places WHERE conv = ? AND seq = ?",
  addPlace: "INSERT INTO places (id, conv, seq, version, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (conv, seq) DO NOTHING",
  movePlace: "UPDATE places SET version = ?, at = ? WHERE id = ?",
  addSpan: `INSERT INTO spans (span, first, last) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last)`,
  lowest: "SELECT min(span) AS span FROM spans WHERE last >= ?",
  highest: "SELECT max(span) AS span FROM spans WHERE first < ?",
  addWords: "INSERT INTO words (rowid, text) VALUES (?, ?)",
  removeWords: "DELETE FROM words WHERE rowid = ?",
  merge: "INSERT INTO words (words, rank) VALUES ('merge', ?)",
  changes: "SELECT total_changes() AS changes",
  find: `SELECT p.id, p.conv AS convId, n.name AS conv, p.seq, coalesce(p.version, p.seq) AS version
    FROM words JOIN places p ON p.id = words.rowid JOIN names n ON n.id = p.conv
    WHERE words MATCH ? AND words.rowid > ? AND words.rowid < ? AND p.at >= ? AND p.at < ?
    ORDER BY words.rowid DESC LIMIT ?`,
};

const spanIds = 1_024;
// Of so many conversations FTS5 finds the next message quickly.
const convsAtOnce = 64;
const lookedThrough = 5_000;
const namesKept = 50_000;
// Words are made of so much text before others have a turn.
const charactersAtOnce = 64 * 1024;
const mergePages = 500;
const cacheMiB = 64;
const nothing: FoundPage = { messages: [], next: null };

class SqliteSearchIndex implements SearchIndex {
  readonly #database: Database;
  readonly #names = new Map<string, number>();
  #lastId: number | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  async put(messages: readonly IndexedMessage[]): Promise<void> {
    const rows: Row[] = [];
    let characters = 0;
    for (const message of messages) {
      rows.push({ message, text: message.text === null ? undefined : textOf(message.text) });
      characters += message.text?.length ?? 0;
      if (characters < charactersAtOnce) continue;
      characters = 0;
      await nextLoop();
    }
    if (rows.length === 0) return;
    await this.#database
      .write(rows.length, () => this.#putOrForget(rows))
      .catch((error: unknown) => this.#forget(error));
  }

  async find({ convs, terms, from, has = [], since, until, limit, after }: SearchQuery): Promise<FoundPage> {
    const phrases = terms.map(phrasesOf);
    if (limit < 1 || phrases.some((some) => some.length === 0)) return nothing;
    const behind = after === undefined ? Number.MAX_SAFE_INTEGER : readPlace(after);
    const sender = from === undefined ? undefined : await this.#nameId(from);
    if (from !== undefined && sender === undefined) return nothing;
    const asked = [
      ...phrases.flat().map(({ words, isPrefix }) => `${quote(words.join(" "))}${isPrefix ? " *" : ""}`),
      ...has.map((kind) => quote(attachmentWord(kind))),
      ...(sender === undefined ? [] : [quote(senderWord(sender))]),
    ];
    const [lowest, highest] = await this.#idsBetween(since, until);
    const ids = await this.#convIds(convs);
    const seconds = [Math.ceil((since ?? 0) / 1_000), Math.ceil((until ?? Number.MAX_SAFE_INTEGER) / 1_000)] as const;
    const range = { above: lowest, below: Math.min(highest, behind), seconds, limit };
    const isMany = ids.length > convsAtOnce && asked.length > 0;
    const found = isMany ? await this.#ofMany(asked, ids, range) : await this.#ofConvs(asked, ids, range);
    const messages = found.map(({ id, conv, seq, version }) => ({ conv, seq, version, place: String(id) }));
    return { messages, next: messages.length < limit ? null : (messages.at(-1)?.place ?? null) };
  }

  async compact(): Promise<void> {
    // A negative count makes all that there is one level, which is then merged to its end.
    for (let pages = -mergePages; ; pages = mergePages) {
      if (!(await this.#database.write(mergePages, () => this.#merge(pages))) && pages > 0) break;
      await nextLoop();
    }
    await this.#database.checkpoint();
  }

  async size(): Promise<number> {
    const { path } = this.#database;
    return [path, `${path}-wal`].reduce((bytes, file) => bytes + (existsSync(file) ? statSync(file).size : 0), 0);
  }

  close(): void {
    this.#database.close();
  }

  // True while there is more to merge.
  #merge(pages: number): boolean {
    const changes = () => Number(this.#statement(sql.changes).get()?.changes);
    const before = changes();
    this.#statement(sql.merge).run(pages);
    return changes() - before >= 2;
  }

  // Before another write of the same transaction, which goes on, could take what is rolled back for known.
  #putOrForget(rows: readonly Row[]): void {
    try {
      this.#database.atomic(() => this.#putAll(rows));
    } catch (error) {
      this.#forget(error);
    }
  }

  // What was noted of rolled back rows is gone with them.
  #forget(error: unknown): never {
    this.#names.clear();
    this.#lastId = undefined;
    throw error;
  }

  #putAll(rows: readonly Row[]): void {
    const spans = new Map<number, [first: number, last: number]>();
    for (const { message, text } of rows) {
      const place = this.#putPlace(message);
      const span = Math.floor(place.id / spanIds);
      const [first, last] = spans.get(span) ?? [place.at, place.at];
      spans.set(span, [Math.min(first, place.at), Math.max(last, place.at)]);
      if (place.change === "none") continue;
      if (place.change === "later") this.#statement(sql.removeWords).run(place.id);
      if (text !== undefined) this.#statement(sql.addWords).run(place.id, this.#withMarks(place.conv, message, text));
    }
    for (const [span, [first, last]] of spans) this.#statement(sql.addSpan).run(span, first, last);
  }

  #putPlace({ conv, seq, version, ts }: IndexedMessage) {
    const convId = this.#nameIdOrNew(conv);
    const at = Math.floor(ts / 1_000);
    // Nearly all are seen for the first time.
    this.#lastId ??= Number(this.#statement(sql.lastId).get()?.id ?? 0);
    const next = this.#lastId + 1;
    const { changes } = this.#statement(sql.addPlace).run(next, convId, seq, version === seq ? null : version, at);
    if (changes === 1) {
      this.#lastId = next;
      return { id: next, conv: convId, at, change: "first" as const };
    }
    const row = this.#statement(sql.place).get(convId, seq)!;
    const [id, known, knownAt] = [Number(row.id), Number(row.version), Number(row.at)];
    const change = version > known ? ("later" as const) : ("none" as const);
    const earliest = Math.min(at, knownAt);
    if (change === "later" || earliest < knownAt) {
      const newest = Math.max(version, known);
      this.#statement(sql.movePlace).run(newest === seq ? null : newest, earliest, id);
    }
    return { id, conv: convId, at: earliest, change };
  }

  #withMarks(conv: number, { from, has }: IndexedMessage, text: string): string {
    const marks = [convWord(conv), senderWord(this.#nameIdOrNew(from)), ...has.map(attachmentWord)];
    return text.replace(marksHere, marks.join(" "));
  }

  // So many conversations cost more to look up one by one than most words have messages: those of all conversations are looked
  // through first, the newest before the others.
  async #ofMany(asked: readonly string[], ids: readonly number[], range: Range): Promise<FoundRow[]> {
    const wanted = new Set(ids);
    const found: FoundRow[] = [];
    let left = lookedThrough;
    let last = 0;
    await this.#database.read(() => {
      const { above, below, seconds } = range;
      for (const row of this.#statement(sql.find).iterate(
        asked.join(" AND "),
        above,
        below,
        ...seconds,
        lookedThrough,
      )) {
        left -= 1;
        last = Number(row.id);
        if (wanted.has(Number(row.convId)) && found.push(row as FoundRow) >= range.limit) break;
      }
    });
    if (found.length >= range.limit || left > 0) return found;
    const rest = { ...range, below: last, limit: range.limit - found.length };
    return [...found, ...(await this.#ofConvs(asked, ids, rest))];
  }

  async #ofConvs(asked: readonly string[], ids: readonly number[], range: Range): Promise<FoundRow[]> {
    const { above, below, seconds, limit } = range;
    let found: FoundRow[] = [];
    for (let start = 0; start < ids.length; start += convsAtOnce) {
      if (start > 0) await nextLoop();
      const some = ids.slice(start, start + convsAtOnce).map((id) => quote(convWord(id)));
      const match = [...asked, `(${some.join(" OR ")})`].join(" AND ");
      // Once there are enough, only newer ones matter.
      const newer = Math.max(above, found.length >= limit ? (found.at(-1)?.id ?? 0) : 0);
      const rows = await this.#database.read(
        () => this.#statement(sql.find).all(match, newer, below, ...seconds, limit) as FoundRow[],
      );
      found = [...found, ...rows].sort((one, other) => other.id - one.id).slice(0, limit);
    }
    return found;
  }

  // Ids outside of these are of other times; within them `at` decides.
  #idsBetween(since: number | undefined, until: number | undefined): Promise<[above: number, below: number]> {
    const span = (text: string, ms: number) => this.#statement(text).get(Math.ceil(ms / 1_000))?.span;
    return this.#database.read(() => {
      const lowest = since === undefined ? 0 : span(sql.lowest, since);
      const highest = until === undefined ? Number.MAX_SAFE_INTEGER : span(sql.highest, until);
      if (lowest === null || highest === null) return [0, 0];
      const below = until === undefined ? Number.MAX_SAFE_INTEGER : (Number(highest) + 1) * spanIds;
      return [Number(lowest) * spanIds - 1, below];
    });
  }

  async #convIds(convs: readonly string[]): Promise<number[]> {
    const ids = await this.#database.read(() => convs.map((conv) => this.#knownName(conv)));
    return ids.filter((id) => id !== undefined);
  }

  #nameId(name: string): Promise<number | undefined> {
    return this.#database.read(() => this.#knownName(name));
  }

  #knownName(name: string): number | undefined {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const row = this.#statement(sql.nameId).get(name);
    return row && this.#keepName(name, Number(row.id));
  }

  #nameIdOrNew(name: string): number {
    return (
      this.#knownName(name) ?? this.#keepName(name, Number(this.#statement(sql.addName).run(name).lastInsertRowid))
    );
  }

  #keepName(name: string, id: number): number {
    if (this.#names.size >= namesKept) this.#names.clear();
    this.#names.set(name, id);
    return id;
  }

  #statement(text: string) {
    return this.#database.statement(text);
  }
}

type Row = { message: IndexedMessage; text: string | undefined };

type FoundRow = { id: number; convId: number; conv: string; seq: number; version: number };

type Range = { above: number; below: number; seconds: readonly [since: number, until: number]; limit: number };

/** Indexes in files `search-{name}.db` of a service's folder. */
export class SqliteSearchIndexes implements SearchIndexes {
  readonly #folder: string;
  readonly #lockWaitMs: number;
  readonly #open = new Map<string, SqliteSearchIndex>();

  constructor(folder: string, lockWaitMs: number) {
    this.#folder = folder;
    this.#lockWaitMs = lockWaitMs;
  }

  async open(name: string): Promise<SearchIndex> {
    const known = this.#open.get(name);
    if (known) return known;
    const path = this.#path(name);
    const database = await Database.open({ path, schema: searchSchema, lockWaitMs: this.#lockWaitMs, cacheMiB });
    const index = new SqliteSearchIndex(database);
    this.#open.set(name, index);
    return index;
  }

  async list(): Promise<string[]> {
    const names = readdirSync(this.#folder).map((file) => /^search-(\w+)\.db$/.exec(file)?.[1]);
    return names.filter((name) => name !== undefined).sort();
  }

  async drop(name: string): Promise<void> {
    this.#open.get(name)?.close();
    this.#open.delete(name);
    for (const suffix of ["-wal", "-shm", "-journal", ""]) rmSync(`${this.#path(name)}${suffix}`, { force: true });
  }

  close(): void {
    for (const index of this.#open.values()) index.close();
    this.#open.clear();
  }

  #path(name: string): string {
    if (!/^[a-z0-9]{1,32}$/.test(name)) throw new TypeError(`an index's name is letters and digits, not ${name}`);
    return join(this.#folder, `search-${name}.db`);
  }
}

// Between the words that follow one another and the others, so that no phrase goes on from the ones to the others.
const marksHere = "@";

function textOf(text: string): string {
  const { sequence, extras } = wordsOf(text);
  return [...sequence, marksHere, ...extras].join(" ");
}

// No word has an @.
const convWord = (id: number) => `@c${id.toString(36)}`;
const senderWord = (id: number) => `@f${id.toString(36)}`;
const attachmentWord = (kind: string) => `@h${kind}`;

// Words have no quotes.
const quote = (words: string) => `"${words}"`;

function readPlace(place: string): number {
  if (/^\d{1,15}$/.test(place)) return Number(place);
  throw new StoreError("invalid_page", "the place is not of this index");
}
