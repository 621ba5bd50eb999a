// An entry of the log as a document, and the log's indexes.
import { Binary } from "mongodb";
import type { LogEntry } from "../log.ts";

export const logCollection = "messages";

// Each begins with the shard key {q: 1}, so that unique holds across shards.
export const logIndexes = [
  { name: "position", key: { q: 1, pos: 1 }, unique: true },
  { name: "seq", key: { q: 1, conv: 1, seq: 1 }, unique: true },
  { name: "sender_id", key: { q: 1, conv: 1, from: 1, device: 1, id: 1 }, unique: true },
] as const;

/** As stored: the event as JSON, since its names are the service's and not MongoDB's. */
export type EntryDocument = Omit<LogEntry, "event" | "body"> & { event: string | null; body: Uint8Array | Binary };

export function toDocument(entry: LogEntry): EntryDocument {
  return { ...alike(entry), event: eventText(entry.event), body: new Binary(entry.body) };
}

export function fromDocument(document: EntryDocument): LogEntry {
  const event = document.event === null ? null : JSON.parse(document.event);
  // A copy: what the driver answers is a piece of a whole reply, which would stay in memory with it.
  return { ...alike(document), event, body: Uint8Array.from(document.body as Uint8Array) };
}

export function eventText(event: LogEntry["event"]): string | null {
  return event === null ? null : JSON.stringify(event);
}

type Alike = Omit<LogEntry, "event" | "body">;

// Named one by one: nothing else gets into the store, and no `_id` out of it.
function alike({ q, pos, conv, seq, ord, from, device, id, type, ts, origin, memberSeq }: Alike): Alike {
  return { q, pos, conv, seq, ord, from, device, id, type, ts, origin, memberSeq };
}
