// Stored entries by their places in the log, for those who follow STORED.
import {
  AppError,
  limits,
  packStoredEntries,
  type StoredEntriesRequest,
  type StoredEntry,
  storedPositionsMax,
} from "@parley/protocol";
import type { LogEntry, MessageLog } from "@parley/store";
import { storedBody } from "./page.ts";

/** What the header of a reply takes of one entry at most: ids have up to 64 characters each, three bytes or an escape. */
const headerBytes = 2_048;

/** A frame with as many of them as a reply holds, at least the first. */
export async function storedEntries(log: MessageLog, { q, positions }: StoredEntriesRequest): Promise<Uint8Array> {
  const isValid = Array.isArray(positions) && positions.length > 0 && positions.length <= storedPositionsMax;
  if (!isValid) throw new AppError("invalid_packet", `positions: 1 to ${storedPositionsMax}`);
  const found = await Promise.all(positions.map((pos) => log.at(q, pos)));
  const fitting: (StoredEntry | null)[] = [];
  let room: number = limits.requestBytes;
  for (const entry of found) {
    room -= headerBytes + (entry?.body.byteLength ?? 0);
    if (room < 0 && fitting.length > 0) break;
    fitting.push(entry ? entryOf(entry) : null);
  }
  return packStoredEntries(fitting);
}

function entryOf(entry: LogEntry): StoredEntry {
  const { pos, conv, seq, from, device, ts, type, memberSeq, origin } = entry;
  const body = storedBody(entry);
  return { pos, conv, seq, from, device, ts, type, memberSeq, ...(origin === null ? {} : { origin }), body };
}
