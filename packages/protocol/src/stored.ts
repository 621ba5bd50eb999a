// Stored entries as those who follow STORED read them, many at once.
import { openFrame, packFrame } from "./frames.ts";
import type { Onward } from "./nested-rooms.ts";

/** `history.entries`: entries of one partition, by their places in its log. */
export interface StoredEntriesRequest {
  q: number;
  /** at most `storedPositionsMax` */
  positions: number[];
}

export const storedPositionsMax = 200;

/** `history.entriesOf`: entries by the messages' places. */
export interface EntriesOfRequest {
  /** at most `storedPositionsMax` */
  places: { conv: string; seq: number }[];
}

/** An entry of the log. `body` is its stored form (see `storableBody`); rendered with the rest it is the message. */
export interface StoredEntry {
  pos: number;
  conv: string;
  seq: number;
  from: string;
  device: string;
  ts: number;
  /** content.type */
  type: string;
  /** seq of the conversation's last membership event at it */
  memberSeq: number;
  origin?: string;
  /** unix ms: when it disappears, if that is known */
  expiresAt?: number;
  /** absent: it goes on to no other room */
  onward?: Onward;
  body: Uint8Array;
}

type EntryHeader = Omit<StoredEntry, "body"> & { size: number };

/** The first of the positions asked for, as many as a reply holds and at least one; null where nothing is stored. */
export function packStoredEntries(entries: readonly (StoredEntry | null)[]): Uint8Array {
  const header = entries.map((entry): EntryHeader | null => {
    if (entry === null) return null;
    const { body, ...rest } = entry;
    return { ...rest, size: body.byteLength };
  });
  return packFrame(
    header,
    entries.flatMap((entry) => (entry === null ? [] : [entry.body])),
  );
}

/** Throws when the frame is torn. */
export function unpackStoredEntries(frame: Uint8Array): (StoredEntry | null)[] {
  const { header, take } = openFrame(frame);
  return (header as (EntryHeader | null)[]).map((entry) => {
    if (entry === null) return null;
    const { size, ...rest } = entry;
    return { ...rest, body: take(size) };
  });
}

/** What one replica that follows STORED knows, told to all when their consumer is gone (`progress.{durable}`). */
export interface StoredProgress {
  /** who tells it, for as long as it runs */
  replica: string;
  /** when the stream was made whose numbers these are; absent: it has not seen the stream */
  created?: string;
  /** everything up to this message of the stream has been taken */
  floor?: number;
  /** messages behind the floor that were taken: place in the stream and its time in ns, which no other stream repeats */
  taken: [seq: number, ns: string][];
  /** messages that it has in hand; it tells again when there are none */
  inHand: number;
}
