// Stored entries read from history by their places in the log, many at once.
import {
  AppError,
  type EntriesOfRequest,
  type LogRequest,
  type StoredEntriesRequest,
  type StoredEntry,
  storedPositionsMax,
  subjects,
  unpackStoredEntries,
} from "@parley/protocol";
import type { NatsConnection } from "../connections/nats.ts";
import { readJsonAnswer, request } from "../requests/request.ts";
import type { FollowedReference } from "./references.ts";

const timeoutMs = 3_000;
const attemptsMax = 3;
const pauseMs = 100;
const openBrace = "{".charCodeAt(0);

/** In the order of the positions, without those where nothing is stored. Throws `unavailable` when no history answers. */
export async function readStored(
  nats: NatsConnection,
  q: number,
  positions: readonly number[],
): Promise<StoredEntry[]> {
  return inParts(positions, (some) => {
    const asked: StoredEntriesRequest = { q, positions: some };
    return ask(nats, subjects.storedEntries, asked);
  });
}

/** The entries of references, each partition's in one go, without those that are not there. Throws as `readStored`. */
export async function readFollowed(nats: NatsConnection, found: readonly FollowedReference[]): Promise<StoredEntry[]> {
  const partitions = [...Map.groupBy(found, ({ q }) => q)];
  const read = await Promise.all(
    partitions.map(([q, ofPartition]) => {
      const positions = ofPartition.map(({ reference }) => reference.pos);
      return readStored(nats, q, positions);
    }),
  );
  return read.flat();
}

/** Entries by conversation and `seq`, without those that are not there. Throws as `readStored`. */
export async function readEntriesOf(nats: NatsConnection, places: EntriesOfRequest["places"]): Promise<StoredEntry[]> {
  return inParts(places, (some) => {
    const asked: EntriesOfRequest = { places: some };
    return ask(nats, subjects.entriesOf, asked);
  });
}

// Each answer has as many as fit, at least one.
async function inParts<T>(
  wanted: readonly T[],
  askFor: (some: T[]) => Promise<(StoredEntry | null)[]>,
): Promise<StoredEntry[]> {
  const entries: StoredEntry[] = [];
  for (let at = 0; at < wanted.length; ) {
    const answered = await askFor(wanted.slice(at, at + storedPositionsMax));
    if (answered.length === 0) throw new AppError("internal", "history answered no entry");
    for (const entry of answered) if (entry !== null) entries.push(entry);
    at += answered.length;
  }
  return entries;
}

/** Entries of a partition behind `after`, in order, `limit` at most; none: there are no more now. Throws as `readStored`. */
export async function readLog(nats: NatsConnection, asked: LogRequest): Promise<StoredEntry[]> {
  return (await ask(nats, subjects.log, asked)).filter((entry) => entry !== null);
}

/** Whoever asked in vain because nobody was there asks again in a moment. */
async function ask(
  nats: NatsConnection,
  subject: string,
  asked: StoredEntriesRequest | EntriesOfRequest | LogRequest,
): Promise<(StoredEntry | null)[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      const reply = await request(nats, subject, JSON.stringify(asked), { timeoutMs });
      // A request that history refuses is answered as JSON.
      if (reply[0] === openBrace) readJsonAnswer(reply);
      return unpackStoredEntries(reply);
    } catch (thrown) {
      const error = AppError.from(thrown);
      if (error.code !== "unavailable" || attempt === attemptsMax) throw error;
      await new Promise((resolve) => setTimeout(resolve, attempt * pauseMs));
    }
  }
}
