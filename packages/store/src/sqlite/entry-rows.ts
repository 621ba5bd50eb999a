// The log's table, and an entry as its row.
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { LogEntry } from "../log.ts";
import type { Schema } from "./schema.ts";

// `conv` decides `q`, so the unique keys need not name it. The idempotency key begins with `id`: ids that grow with time
// (ULIDs) then land on the same page of that index, which halves the cost of a row.
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
  ],
};

export const columns = "q, pos, conv, seq, ord, sender, device, id, type, ts, origin, event, member_seq, body";

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
