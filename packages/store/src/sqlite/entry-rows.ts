// The log's table, and an entry as its row.
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { LogEntry } from "../log.ts";
import type { Schema } from "./schema.ts";

// `conv` decides `q`, so the unique keys need not name it. The idempotency key begins with `id`: ids that grow with time
// (ULIDs) then land on the same pages of that index.
export const logSchema: Schema = {
  kind: "log",
  steps: [
    `CREATE TABLE entries (
       q INTEGER NOT NULL,
       pos INTEGER NOT NULL,
       conv TEXT NOT NULL,
       seq INTEGER NOT NULL,
       ord INTEGER NOT NULL,
       sender TEXT NOT NULL,
       device TEXT NOT NULL,
       id TEXT NOT NULL,
       type TEXT NOT NULL,
       ts INTEGER NOT NULL,
       origin TEXT,
       event TEXT,
       member_seq INTEGER NOT NULL,
       body BLOB NOT NULL,
       UNIQUE (q, pos),
       UNIQUE (conv, seq),
       UNIQUE (id, conv, sender, device)
     ) STRICT`,
    // The unique indexes become tables of their own, which are written behind the log: an index and a table WITHOUT ROWID whose
    // key is unique lie in the file alike, so only the schema changes, however much is stored.
    `PRAGMA writable_schema = ON;
     ${becomesTable(1, "by_position", "q INTEGER NOT NULL, pos INTEGER NOT NULL", "q, pos")};
     ${becomesTable(2, "by_seq", "conv TEXT NOT NULL, seq INTEGER NOT NULL", "conv, seq")};
     ${becomesTable(3, "by_key", "id TEXT NOT NULL, conv TEXT NOT NULL, sender TEXT NOT NULL, device TEXT NOT NULL", "id, conv, sender, device")};
     UPDATE sqlite_schema
       SET sql = substr(sql, 1, instr(sql, 'UNIQUE (q, pos)') - 1) || 'entry INTEGER PRIMARY KEY) STRICT'
       WHERE name = 'entries';
     PRAGMA writable_schema = RESET;
     INSERT INTO meta (name, value) SELECT 'indexed', coalesce(max(entry), 0) FROM entries`,
  ],
};

// `entry` is the rowid that each row of an index ends with.
function becomesTable(index: number, name: string, declared: string, key: string): string {
  const sql = `CREATE TABLE ${name} (${declared}, entry INTEGER NOT NULL, PRIMARY KEY (${key})) WITHOUT ROWID, STRICT`;
  return `UPDATE sqlite_schema SET type = 'table', name = '${name}', tbl_name = '${name}', sql = '${sql}' WHERE name = 'sqlite_autoindex_entries_${index}'`;
}

export const columns = "q, pos, conv, seq, ord, sender, device, id, type, ts, origin, event, member_seq, body";
/** The same, where other tables have some of these names too. */
export const ofEntries = columns.replaceAll(/\w+/g, "entries.$&");

export function toRow(entry: LogEntry): SQLInputValue[] {
  return [
    entry.q,
    entry.pos,
    entry.conv,
    entry.seq,
    entry.ord,
    entry.from,
    entry.device,
    entry.id,
    entry.type,
    entry.ts,
    entry.origin,
    eventText(entry.event),
    entry.memberSeq,
    entry.body,
  ];
}

type Row = {
  [column in "q" | "pos" | "seq" | "ord" | "ts" | "member_seq"]: number;
} & { [column in "conv" | "sender" | "device" | "id" | "type"]: string } & {
  origin: string | null;
  event: string | null;
  body: Uint8Array;
};

export function fromRow(record: Record<string, SQLOutputValue>): LogEntry {
  const row = record as Row;
  return {
    q: row.q,
    pos: row.pos,
    conv: row.conv,
    seq: row.seq,
    ord: row.ord,
    from: row.sender,
    device: row.device,
    id: row.id,
    type: row.type,
    ts: row.ts,
    origin: row.origin,
    event: row.event === null ? null : JSON.parse(row.event),
    memberSeq: row.member_seq,
    body: row.body,
  };
}

export function eventText(event: LogEntry["event"]): string | null {
  return event === null ? null : JSON.stringify(event);
}
