// An entry of the log as a document, and the log's indexes.
import { Binary } from "mongodb";
import type { LogEntry } from "../log.ts";

export const logCollection = "messages";

// Each begins with the shard key {q: 1}, so that unique holds across shards (DESIGN §7).
export const logIndexes = [
  { name: "position", key: { q: 1, pos: 1 }, unique: true },
  { name: "seq", key: { q: 1, conv: 1, seq: 1 }, unique: true },
  { name: "sender_id", key: { q: 1, conv: 1, from: 1, device: 1, id: 1 }, unique: true },
] as const;

/** As stored: the event as JSON, since its names are the service's and not MongoDB's. */
export type EntryDocument = Omit<LogEntry, "event" | "body"> & { event: string | null; body: Uint8Array | Binary };

export function toDocument(entry: LogEntry): EntryDocument {
  const { q, pos, conv, seq, ord, from, device, id, type, ts, origin, event, memberSeq, body } = entry;
  return {
    q,
    pos,
    conv,
    seq,
    ord,
    from,
    device,
    id,
    type,
    ts,
    origin,
    event: event === null ? null : JSON.stringify(event),
    memberSeq,
    body: new Binary(body),
  };
}

export function fromDocument(document: EntryDocument): LogEntry {
  const { q, pos, conv, seq, ord, from, device, id, type, ts, origin, event, memberSeq, body } = document;
  return {
    q,
    pos,
    conv,
    seq,
    ord,
    from,
    device,
    id,
    type,
    ts,
    origin,
    event: event === null ? null : JSON.parse(event),
    memberSeq,
    // A copy: what the driver answers is a piece of a whole reply, which would stay in memory with it.
    body: Uint8Array.from(body as Uint8Array),
  };
}
