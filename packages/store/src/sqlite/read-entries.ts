// Entries for a page, read in the cheapest form SQLite has: rows as arrays, of the columns that are shown, bodies as text.
import type { RangeQuery, ReadEntry } from "../log.ts";
import type { Database } from "./database.ts";

type Row = [
  seq: number,
  from: string,
  device: string,
  id: string,
  type: string,
  ts: number,
  event: string | null,
  body: string,
];

const select = "SELECT seq, sender, device, id, type, ts, event, CAST(body AS TEXT) FROM entries";
const sql = {
  up: `${select} WHERE conv = ? AND seq > ? AND seq < ? ORDER BY seq LIMIT +?`,
  down: `${select} WHERE conv = ? AND seq > ? AND seq < ? ORDER BY seq DESC LIMIT +?`,
};

/** As `MessageLog.read` says. Not all at once: a row behind the last one that fits is the only one read in vain. */
export function readEntries(
  database: Database,
  conv: string,
  { after, before, limit, maxBytes = Number.POSITIVE_INFINITY }: RangeQuery,
): ReadEntry[] {
  const statement = database.statement(after === undefined ? sql.down : sql.up);
  statement.setReturnArrays(true);
  const rows = statement.iterate(conv, after ?? 0, before ?? Number.MAX_SAFE_INTEGER, Math.max(0, limit));
  const entries: ReadEntry[] = [];
  let bytes = 0;
  for (const row of rows as unknown as Iterable<Row>) {
    const body = row[7];
    bytes += Buffer.byteLength(body);
    if (bytes > maxBytes && entries.length > 0) break;
    const event = row[6] === null ? null : JSON.parse(row[6]);
    entries.push({
      conv,
      seq: row[0],
      from: row[1],
      device: row[2],
      id: row[3],
      type: row[4],
      ts: row[5],
      event,
      body,
    });
  }
  return after === undefined ? entries.reverse() : entries;
}
