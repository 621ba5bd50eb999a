// Entries for a page, read in the cheapest form SQLite has: rows as arrays, of the columns that are shown, bodies as text.
import type { RangeQuery, ReadEntry } from "../log.ts";
import type { Database } from "./database.ts";
import { firstHeld, type Held, heldDown, heldUp } from "./held.ts";

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

const shown = ["seq", "sender", "device", "id", "type", "ts", "event"].map((name) => `entries.${name}`).join(", ");
const select = `SELECT ${shown}, CAST(entries.body AS TEXT)`;
const bySeq = `${select} FROM by_seq JOIN entries USING (entry) WHERE by_seq.conv = ?`;
const sql = {
  up: `${bySeq} AND by_seq.seq > ? AND by_seq.seq < ? ORDER BY by_seq.seq LIMIT +?`,
  down: `${bySeq} AND by_seq.seq > ? AND by_seq.seq < ? ORDER BY by_seq.seq DESC LIMIT +?`,
  one: `${select} FROM entries WHERE entry = ?`,
};

/**
 * As `MessageLog.read` says. Not all at once: a row behind the last one that fits is the only one read in vain. `held`: the
 * conversation's entries that the index may not have yet.
 */
export function readEntries(database: Database, conv: string, query: RangeQuery, held: Held): ReadEntry[] {
  const { after, limit, maxBytes = Number.POSITIVE_INFINITY } = query;
  const entries: ReadEntry[] = [];
  let bytes = 0;
  for (const row of rowsOf(database, conv, query, held)) {
    if (entries.length >= limit) break;
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

// What is held comes behind all that is indexed; of what is being indexed the index may have some already.
function* rowsOf(
  database: Database,
  conv: string,
  { after, before = Number.MAX_SAFE_INTEGER, limit }: RangeQuery,
  held: Held,
): Iterable<Row> {
  const low = after ?? 0;
  const most = Math.max(0, limit);
  const end = Math.min(before, firstHeld(held)?.seq ?? before);
  const indexed = rows(database, after === undefined ? sql.down : sql.up, [conv, low, end, most]);
  if (after !== undefined) yield* indexed;
  const among = after === undefined ? heldDown(held, "seq", before, most) : heldUp(held, "seq", [low, before], most);
  for (const { row } of among) yield* rows(database, sql.one, [row]);
  if (after === undefined) yield* indexed;
}

function* rows(database: Database, text: string, values: (string | number)[]): Iterable<Row> {
  const statement = database.statement(text);
  statement.setReturnArrays(true);
  yield* statement.iterate(...values) as unknown as Iterable<Row>;
}
