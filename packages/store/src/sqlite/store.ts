// The SQLite engine: a service's folder with two databases, so that the log's commits sync alone.
import { basename, join } from "node:path";
import type { Facts } from "../facts.ts";
import type { Store } from "../store.ts";
import { Database } from "./database.ts";
import { documentsSchema, SqliteDocuments } from "./documents.ts";
import { logSchema } from "./entry-rows.ts";
import type { IndexPace } from "./log-index.ts";
import { SqliteMessageLog } from "./message-log.ts";
import { SqliteSearchIndexes } from "./search-index.ts";

/** The files of a service. */
export const databaseFiles = ["log.db", "documents.db"] as const;

export async function openSqliteStore(
  folder: string,
  { lockWaitMs, facts, pace }: { lockWaitMs: number; facts: Facts; pace?: IndexPace },
): Promise<Store> {
  const [logPath, documentsPath] = databaseFiles.map((file) => join(folder, file)) as [string, string];
  const logFile = await Database.open({
    path: logPath,
    schema: logSchema,
    facts,
    lockWaitMs,
    cacheMiB: 64,
  });
  try {
    const documentsFile = await Database.open({
      path: documentsPath,
      schema: documentsSchema,
      lockWaitMs,
      cacheMiB: 32,
    });
    try {
      const log = await SqliteMessageLog.open(logFile, pace);
      return assemble({ logFile, log, documentsFile }, new SqliteSearchIndexes(folder, lockWaitMs));
    } catch (error) {
      documentsFile.close();
      throw error;
    }
  } catch (error) {
    logFile.close();
    throw error;
  }
}

type Files = { logFile: Database; log: SqliteMessageLog; documentsFile: Database };

function assemble({ logFile, log, documentsFile }: Files, indexes: SqliteSearchIndexes): Store {
  const documents = new SqliteDocuments(documentsFile);
  return {
    exclusive: true,
    log: () => log,
    documents: () => documents,
    searchIndexes: () => indexes,
    facts: () => logFile.facts(),
    async compact() {
      await Promise.all([logFile.checkpoint(), documentsFile.checkpoint()]);
    },
    async check() {
      await Promise.all([logFile.check(), documentsFile.check()]);
    },
    async backup(folder, tell) {
      // Documents first: those of history say up to where they follow the log, and must not be ahead of its copy.
      for (const file of [documentsFile, logFile]) await file.backup(join(folder, basename(file.path)), tell);
    },
    async close() {
      logFile.close();
      documentsFile.close();
      indexes.close();
    },
  };
}
