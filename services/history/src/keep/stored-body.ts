// The body of a stored entry as it is answered.
import { toOf } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import { isOver } from "./timers.ts";

/** The content of an entry, read. */
export function contentOf(entry: LogEntry): { type: string; [field: string]: unknown } {
  const body = storedBody(entry);
  return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()).content;
}

/** The body of an entry; of one that was erased, or whose time is over, empty content in its place. */
export function storedBody(entry: LogEntry): Uint8Array {
  return isEmpty(entry) ? erasedBody(entry) : entry.body;
}

/** True if nothing of what it said is shown: it was erased, or its time is over. */
export function isEmpty(entry: LogEntry): boolean {
  return entry.body.byteLength === 0 || isOver(entry, Date.now());
}

/** What stands in the place of a message that was erased or recalled. */
export function erasedBody({ id, conv, from }: LogEntry): Uint8Array {
  return Buffer.from(JSON.stringify({ id, to: toOf(from, conv), content: { type: "erased" } }));
}
