// The places of a file, and what came to stand in them.
import type { FindQuery, LogEntry, Versioned } from "@parley/store";
import { entryAt } from "../keep/entry-at.ts";
import { entryFile } from "../keep/entry-file.ts";
import type { FilePlace, HistoryStore } from "../keep/store.ts";
import { hideExpired } from "./expired.ts";

export type Stored = Pick<HistoryStore, "log" | "members" | "infos" | "files" | "timers">;

const pagePlaces = 500;
/** No commit takes as long. */
const awaitedMs = 60_000;

// Behind a space comes "!": these are the keys that begin with the file's id.
export const byFile = (file: string) => ({ from: `${file} `, before: `${file}!` });
export const bySender = (file: string, uid: string) => ({ index: "by_sender", equals: [file, uid] });

/** Until so many were read, about. */
export async function* placesOf(
  { files }: Stored,
  query: Omit<FindQuery, "limit">,
  most = Number.POSITIVE_INFINITY,
): AsyncGenerator<Versioned<FilePlace>[]> {
  const limit = Math.min(pagePlaces, most);
  let left = most;
  for (let page: string | null | undefined; page !== null && left > 0; ) {
    const answer = await files.find({ ...query, limit, ...(page === undefined ? {} : { page }) });
    page = answer.next;
    left -= answer.items.length;
    yield answer.items;
  }
}

export const newestFirst = <Place extends FilePlace>(places: readonly Place[]) =>
  places.toSorted((a, b) => b.seq - a.seq);

/**
 * `stands`: a message that refers to the file. `hidden`: its time is over. `awaited`: the place was noted a moment ago, and the log does
 * not reach as far. `gone`: no message with the file stands there, and none will; an erased one refers to nothing.
 */
export async function stateOf(store: Stored, place: FilePlace): Promise<"stands" | "hidden" | "awaited" | "gone"> {
  const entry = await entryAt(store, place.conv, place.seq);
  if (!entry) return (await isAwaited(store, place)) ? "awaited" : "gone";
  if (!refers(entry, place)) return "gone";
  const [shown] = await hideExpired(store, [entry]);
  return shown && shown.body.byteLength > 0 ? "stands" : "hidden";
}

/** The message that stands there and refers to the file. */
export async function messageAt(store: Stored, place: FilePlace): Promise<LogEntry | undefined> {
  const entry = await entryAt(store, place.conv, place.seq);
  const [shown] = entry ? await hideExpired(store, [entry]) : [];
  return shown && refers(shown, place) ? shown : undefined;
}

function refers(entry: LogEntry, { file, from }: FilePlace): boolean {
  return entry.from === (from ?? entry.from) && entryFile(entry) === file;
}

async function isAwaited({ log }: Stored, { conv, seq, at = 0 }: FilePlace): Promise<boolean> {
  if (at < Date.now() - awaitedMs) return false;
  const last = (await log.heads([conv])).get(conv);
  return seq > (last?.seq ?? 0);
}
