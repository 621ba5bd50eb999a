// Opens one database file: its exclusive lock, its settings, its schema version; and runs its writes as group commits.
import { chmodSync, closeSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { backup, DatabaseSync, type StatementSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { checkFacts, type Facts } from "../facts.ts";
import { makeFolder } from "../make-folder.ts";
import { StoreError } from "../store-error.ts";
import { GroupCommit } from "./group-commit.ts";
import { migrate, readFacts, type Schema, schemaVersion, writeFacts } from "./schema.ts";
import { asStoreError, hasMetWrite } from "./sqlite-error.ts";

const lockPollMs = 50;
// A checkpoint stops appends: often and shortly, or seldom and long. Of 1,000, 4,000 and 32,000 pages the middle gave the
// path its lowest p99 at 2,000 messages a second (12 ms; 28 and 17, measured).
const checkpointPages = 4_000;
const walKeptBytes = 64 * 1024 * 1024;
// What was taken out stands in the write-ahead log for so long at most: each time it is emptied appends stop, as at a checkpoint.
const removedKeptMs = 30_000;
// While a step copies so much, no statement can run.
const backupStepPages = 200;
const backupAttempts = 200;
const backupPauseMs = 5;

type Progress = { totalPages: number; remainingPages: number };

export type DatabaseOptions = {
  path: string;
  schema: Schema;
  facts?: Facts;
  lockWaitMs: number;
  cacheMiB: number;
  /** for how long what was removed may stand in the write-ahead log; default 30,000 */
  removedKeptMs?: number;
};

/**
 * An open database file. SQLite runs in the caller's thread: a commit of one entry takes 0.15 ms, its fsync included, of
 * 100 entries 0.6 ms; handing them to a worker and back 0.05 and 0.16 ms more, with 40 and 190 µs of CPU (measured).
 */
export class Database {
  readonly path: string;
  readonly #sqlite: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #commits: GroupCommit;
  readonly #removedKeptMs: number;
  #emptying: NodeJS.Timeout | undefined;
  /** Told of each transaction's end, before those who wait for it: for whoever keeps what was written in memory as well. */
  ended: (isCommitted: boolean) => void = () => {};

  private constructor(sqlite: DatabaseSync, options: DatabaseOptions) {
    this.path = options.path;
    this.#sqlite = sqlite;
    this.#commits = new GroupCommit(sqlite, options.path, (isCommitted) => this.ended(isCommitted));
    this.#removedKeptMs = options.removedKeptMs ?? removedKeptMs;
    // A process that was killed may have left something.
    this.noteRemoval();
  }

  /** Waits for another process to let go of the file, then takes it for as long as this one lives. */
  static async open(options: DatabaseOptions): Promise<Database> {
    const { path, lockWaitMs } = options;
    const deadline = performance.now() + lockWaitMs;
    for (;;) {
      try {
        return new Database(openFile(options), options);
      } catch (error) {
        if (!(error instanceof StoreError && error.code === "locked")) throw error;
        if (performance.now() >= deadline) throw lockedBy(path, lockWaitMs, error);
        await delay(lockPollMs);
      }
    }
  }

  /** The statement, compiled once. */
  statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#sqlite.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Runs what only reads. It sees what is committed, never a write under way. */
  async read<T>(work: () => T): Promise<T> {
    this.#checkOpen();
    try {
      return work();
    } catch (error) {
      throw asStoreError(error, this.path);
    }
  }

  /**
   * Runs what writes, in order, with what else was asked for in this turn, and resolves when it is on disk. `rows` is
   * about how many rows it writes. What throws keeps the rows that it wrote before, unless it is `atomic`.
   */
  async write<T>(rows: number, work: () => T): Promise<T> {
    this.#checkOpen();
    return this.#commits.add(rows, work);
  }

  /** Inside `write`: all of it or none. */
  atomic<T>(work: () => T): T {
    this.#sqlite.exec("SAVEPOINT part");
    try {
      const result = work();
      this.#sqlite.exec("RELEASE part");
      return result;
    } catch (error) {
      // A full disk has rolled back everything already, the savepoint included.
      if (this.#sqlite.isTransaction) this.#sqlite.exec("ROLLBACK TO part; RELEASE part");
      throw error;
    }
  }

  /**
   * Copies the file while it is used, by SQLite's online backup: one transaction's state, that of the moment it resolves.
   * Other work of this process goes on between two steps.
   */
  async backup(path: string, tell: (done: number, of: number) => void): Promise<void> {
    this.#checkOpen();
    const progress = ({ totalPages, remainingPages }: Progress) => tell(totalPages - remainingPages, totalPages);
    for (let attempt = 1; ; attempt++) {
      try {
        await backup(this.#sqlite, path, { rate: backupStepPages, progress });
        return;
      } catch (error) {
        if (!hasMetWrite(error) || attempt === backupAttempts) throw asStoreError(error, path);
        await delay(backupPauseMs);
      }
    }
  }

  /** Everything is in the file itself afterwards, and the write-ahead log is empty: true, unless a backup is under way. */
  async checkpoint(): Promise<boolean> {
    this.#checkOpen();
    this.#commits.flush();
    const [row] = await this.read(() => this.#sqlite.prepare("PRAGMA wal_checkpoint(TRUNCATE)").all());
    return row?.busy === 0;
  }

  /**
   * Something is taken out by a write that was asked for: it leaves the write-ahead log in `removedKeptMs`, with whatever else is
   * taken out until then.
   */
  noteRemoval(): void {
    this.#emptying ??= setTimeout(() => {
      this.#emptying = undefined;
      this.checkpoint().then(
        (isEmpty) => isEmpty || this.noteRemoval(),
        () => this.#sqlite.isOpen && this.noteRemoval(),
      );
    }, this.#removedKeptMs).unref();
  }

  facts(): Promise<Facts> {
    return this.read(() => readFacts(this.#sqlite));
  }

  /** Writes a row: rejects when nothing can be written durably. */
  check(): Promise<void> {
    return this.write(1, () => {
      this.statement(
        "INSERT INTO meta (name, value) VALUES ('checked', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
      ).run(Date.now());
    });
  }

  exec(sql: string): void {
    this.#sqlite.exec(sql);
  }

  /** Commits what waits, then lets go of the file. */
  close(): void {
    clearTimeout(this.#emptying);
    if (!this.#sqlite.isOpen) return;
    this.#commits.flush();
    this.#sqlite.close();
  }

  #checkOpen(): void {
    if (!this.#sqlite.isOpen) throw new StoreError("unavailable", `${this.path}: the store is closed`);
  }
}

function openFile({ path, schema, facts = {}, cacheMiB }: DatabaseOptions): DatabaseSync {
  let sqlite: DatabaseSync | undefined;
  try {
    makeFolder(dirname(path));
    makePrivate(path);
    sqlite = new DatabaseSync(path, { timeout: 0 });
    // Exclusive before anything is read: the lock is then kept until the process ends, and there is no shared-memory file.
    sqlite.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT");
    const version = schemaVersion(sqlite, path, schema);
    const added = checkFacts(version === 0 ? {} : readFacts(sqlite), facts, path);
    sqlite.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = ${checkpointPages};
      PRAGMA journal_size_limit = ${walKeptBytes};
      PRAGMA cache_size = ${-cacheMiB * 1024};
      PRAGMA secure_delete = ON`);
    migrate(sqlite, schema, version);
    writeFacts(sqlite, added);
    return sqlite;
  } catch (error) {
    if (sqlite?.isOpen) sqlite.close();
    throw fileError(error, path);
  }
}

// SQLite makes files that everybody may read, as an earlier Parley left them and their folder, and its write-ahead log as the
// file is. What is there is not opened: to close it here would give away the lock that SQLite has on it.
function makePrivate(path: string): void {
  unlessRefused(() => chmodSync(dirname(path), 0o700));
  unlessRefused(() => closeSync(openSync(path, "wx", 0o600)));
  for (const suffix of ["", "-wal", "-shm", "-journal"]) unlessRefused(() => chmodSync(path + suffix, 0o600));
}

// It is there, or is not, or is somebody else's: SQLite says what is wrong.
function unlessRefused(work: () => void): void {
  try {
    work();
  } catch {}
}

function fileError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !("syscall" in error)) return asStoreError(error, path);
  return new StoreError("unavailable", `${path}: its folder cannot be made: ${error.message}`, { cause: error });
}

function lockedBy(path: string, waitedMs: number, cause: StoreError): StoreError {
  const message = `${path}: another process holds it (waited ${waitedMs / 1000} s). Stop that one, or use STORE_URL=mongodb://… for more than one replica`;
  return new StoreError("locked", message, { cause, details: { path } });
}
