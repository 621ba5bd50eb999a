// Looks at the copies of one service's files: whole, of the right kind, and as far as the log was while they were made.
import { existsSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { wrongIndex } from "../sqlite/check-index.ts";
import { documentsSchema } from "../sqlite/documents.ts";
import { logSchema } from "../sqlite/entry-rows.ts";
import { type Schema, schemaVersion } from "../sqlite/schema.ts";
import { asStoreError } from "../sqlite/sqlite-error.ts";
import { BackupError } from "./backup-error.ts";
import { sync } from "./private-files.ts";

/** `last`: each partition's last `pos`. */
export type VerifiedService = { entries: number; documents: number; last: Map<number, number> };

/** What `log.last` said before and after the copying. */
export type Between = { from: readonly number[]; to: readonly number[] };

/** Throws a BackupError that names the file. The files are each one file afterwards, with no log beside it. */
export async function verifyService(folder: string, between?: Between): Promise<VerifiedService> {
  const last = new Map<number, number>();
  const path = join(folder, "log.db");
  const entries = await look(path, logSchema, (sqlite) => {
    const wrong = wrongIndex(sqlite);
    if (wrong !== undefined) throw new BackupError(`${path} is damaged: ${wrong} is not that of its entries`);
    for (const row of sqlite.prepare("SELECT q, max(pos) AS pos FROM entries GROUP BY q").all())
      last.set(Number(row.q), Number(row.pos));
    return count(sqlite, "entries");
  });
  const documents = await look(join(folder, "documents.db"), documentsSchema, (sqlite) => {
    const tables = sqlite.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'c_*'").all();
    return tables.reduce((sum, { name }) => sum + count(sqlite, `"${name}"`), 0);
  });
  for (const [q, from] of between?.from.entries() ?? []) {
    const [found, to] = [last.get(q) ?? 0, between?.to[q] ?? 0];
    if (found >= from && found <= to) continue;
    throw new BackupError(`${folder}: partition ${q} ends at ${found}, where the store was between ${from} and ${to}`);
  }
  return { entries, documents, last };
}

async function look(path: string, schema: Schema, read: (sqlite: DatabaseSync) => number): Promise<number> {
  if (!existsSync(path)) throw new BackupError(`${path} is missing`);
  let sqlite: DatabaseSync | undefined;
  try {
    sqlite = new DatabaseSync(path);
    // One file that can be moved and hashed: what was in a log beside it is in it then.
    sqlite.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE");
    const [first] = sqlite.prepare("PRAGMA integrity_check(1)").all();
    if (first?.integrity_check !== "ok") throw new BackupError(`${path} is damaged: ${String(first?.integrity_check)}`);
    if (schemaVersion(sqlite, path, schema) === 0) throw new BackupError(`${path} is empty`);
    return read(sqlite);
  } catch (error) {
    const known = asStoreError(error, path);
    throw known === error || !(known instanceof Error) ? error : new BackupError(known.message, { cause: error });
  } finally {
    sqlite?.close();
    await chmod(path, 0o600).catch(() => {});
    await sync(path).catch(() => {});
  }
}

function count(sqlite: DatabaseSync, table: string): number {
  return Number(sqlite.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n ?? 0);
}
