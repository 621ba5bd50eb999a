// messages.scheduled: what a user has scheduled, page by page.
import { AppError, type Caller, limits, type messagesScheduled, type ResultOf, type Scheduled } from "@parley/protocol";
import { StoreError } from "@parley/store";
import type { ScheduledParts } from "./parts.ts";
import { rowOf } from "./row.ts";

const pageRows = 50;
/** of an answer around its rows */
const restBytes = 1_024;

export async function listScheduled(
  { scheduled }: ScheduledParts["store"],
  page: string | undefined,
  { uid, maxBytes = limits.pageBytes }: Caller,
): Promise<ResultOf<typeof messagesScheduled> | AppError> {
  const rows: Scheduled[] = [];
  let room = Math.min(limits.pageBytes, maxBytes) - restBytes;
  let next: string | null = page ?? null;
  do {
    // One at a time: each may be as large as a packet.
    const query = { index: "of_user", equals: [uid], limit: 1, ...(next === null ? {} : { page: next }) };
    const found = await scheduled.find(query).catch(notOurs);
    const [item] = found.items;
    const row = item && rowOf(item.doc);
    room -= row ? Buffer.byteLength(JSON.stringify(row)) + 1 : 0;
    if (row && room < 0 && rows.length > 0) return { scheduled: rows, next };
    if (row) rows.push(row);
    next = found.next;
  } while (next !== null && rows.length < pageRows);
  return { scheduled: rows, next };
}

function notOurs(error: unknown): never {
  if (error instanceof StoreError && error.code === "invalid_page")
    throw new AppError("invalid_packet", "page is not the `next` of a page before");
  throw error;
}
