// Is a log's index that of its entries? It is tables of its own, which SQLite's check does not compare with the entries.
import type { DatabaseSync } from "node:sqlite";

/** How an entry of each is found. */
const tables = {
  by_position: "i.q = e.q AND i.pos = e.pos",
  by_seq: "i.conv = e.conv AND i.seq = e.seq",
  by_key: "i.id = e.id AND i.conv = e.conv AND i.sender = e.sender AND i.device = e.device",
};

/** The one of its tables that lacks an entry or has one too many; undefined: all are right. A log of version 1 has none. */
export function wrongIndex(sqlite: DatabaseSync): string | undefined {
  const indexed = sqlite.prepare("SELECT value FROM meta WHERE name = 'indexed'").get()?.value ?? 0;
  return Object.entries(tables).find(([table, isSame]) => {
    if (!sqlite.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(table)) return false;
    const lacking = `SELECT 1 FROM entries e WHERE e.entry <= ? AND NOT EXISTS
      (SELECT 1 FROM ${table} i WHERE ${isSame} AND i.entry = e.entry) LIMIT 1`;
    const strange = `SELECT 1 FROM ${table} i WHERE NOT EXISTS
      (SELECT 1 FROM entries e WHERE e.entry = i.entry AND ${isSame}) LIMIT 1`;
    return sqlite.prepare(lacking).get(indexed) !== undefined || sqlite.prepare(strange).get() !== undefined;
  })?.[0];
}
