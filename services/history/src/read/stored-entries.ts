// Stored entries by their places in the log, for those who follow STORED.
import {
  AppError,
  type EntriesOfRequest,
  type LogRequest,
  limits,
  packStoredEntries,
  type StoredEntriesRequest,
  type StoredEntry,
  storedPositionsMax,
} from "@parley/protocol";
import type { LogEntry, MessageLog } from "@parley/store";
import { isCounted } from "../fold/fold-entry.ts";
import { onwardOf, onwardRooms } from "../fold/onward.ts";
import { entryAt } from "../keep/entry-at.ts";
import { isEmpty, storedBody } from "../keep/stored-body.ts";
import { keptExpiry } from "../keep/timers.ts";

/** What the header of a reply takes of one entry at most: a conversation has up to 326 bytes, a client id 256, others less. */
const headerBytes = 2_048;
/** Of each room that it goes on to. */
const roomBytes = 68;

/** A frame with as many of them as a reply holds, at least the first. */
export async function storedEntries(log: MessageLog, { q, positions }: StoredEntriesRequest): Promise<Uint8Array> {
  const isValid = Array.isArray(positions) && positions.length > 0 && positions.length <= storedPositionsMax;
  if (!isValid) throw new AppError("invalid_packet", `positions: 1 to ${storedPositionsMax}`);
  return packFitting(await entriesAt(log, q, positions));
}

/** The same by conversation and `seq`, whoever may read them. */
export async function entriesOf(log: MessageLog, { places }: EntriesOfRequest): Promise<Uint8Array> {
  const isValid = Array.isArray(places) && places.length > 0 && places.length <= storedPositionsMax;
  if (!isValid) throw new AppError("invalid_packet", `places: 1 to ${storedPositionsMax}`);
  return packFitting(await Promise.all(places.map(({ conv, seq }) => entryAt({ log }, conv, seq))));
}

const logPageMost = 500;

/** The entries behind `after`, as many as a reply holds; an empty frame at the end. */
export async function logPage(log: MessageLog, { q, after, limit }: LogRequest): Promise<Uint8Array> {
  const isValid = [q, after, limit].every(Number.isSafeInteger) && limit > 0 && limit <= logPageMost;
  if (!isValid) throw new AppError("invalid_packet", `q, after and limit are numbers, limit 1 to ${logPageMost}`);
  return packFitting(await log.follow(q, after, limit));
}

// Most who follow want all that there is: then it is one read.
async function entriesAt(
  log: MessageLog,
  q: number,
  positions: readonly number[],
): Promise<readonly (LogEntry | undefined)[]> {
  const [first = 0] = positions;
  const isDense = positions.length > 1 && positions.every((pos, at) => pos === first + at);
  if (!isDense) return Promise.all(positions.map((pos) => log.at(q, pos)));
  const found = new Map((await log.follow(q, first - 1, positions.length)).map((entry) => [entry.pos, entry]));
  return positions.map((pos) => found.get(pos));
}

function packFitting(found: readonly (LogEntry | undefined)[]): Uint8Array {
  const fitting: (StoredEntry | null)[] = [];
  let room: number = limits.requestBytes;
  for (const entry of found) {
    room -= headerBytes + (entry ? entry.body.byteLength + roomBytes * onwardRooms(entry).length : 0);
    if (room < 0 && fitting.length > 0) break;
    fitting.push(entry ? entryOf(entry) : null);
  }
  return packStoredEntries(fitting);
}

function entryOf(entry: LogEntry): StoredEntry {
  const { pos, conv, seq, from, device, ts, type, memberSeq, origin } = entry;
  const body = storedBody(entry);
  const { expiresAt } = isCounted(entry) ? keptExpiry(entry) : {};
  const onward = isEmpty(entry) ? undefined : onwardOf(entry);
  const more = {
    ...(origin === null ? {} : { origin }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(onward && { onward }),
  };
  return { pos, conv, seq, from, device, ts, type, memberSeq, ...more, body };
}
