// The body of a stored entry as it is answered.
import { toOf } from "@parley/protocol";
import type { LogEntry, ReadEntry } from "@parley/store";
import { isOver } from "./timers.ts";

/** The content of an entry, read. */
export function contentOf(entry: ReadEntry): { type: string; [field: string]: unknown } {
  return JSON.parse(bodyText(entry)).content;
}

/** `storedBody` as text. */
export function bodyText(entry: ReadEntry): string {
  if (isEmpty(entry)) return erasedText(entry);
  const { body } = entry;
  return typeof body === "string" ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
}

/** The body of an entry; of one that was erased, or whose time is over, empty content in its place. */
export function storedBody(entry: LogEntry): Uint8Array {
  return isEmpty(entry) ? Buffer.from(erasedText(entry)) : entry.body;
}

/** True if nothing of what it said is shown: it was erased, or its time is over. */
export function isEmpty(entry: ReadEntry): boolean {
  return entry.body.length === 0 || isOver(entry, Date.now());
}

/** What stands in the place of a message that was erased or recalled. */
export function erasedText({ id, conv, from }: ReadEntry): string {
  return JSON.stringify({ id, to: toOf(from, conv), content: { type: "erased" } });
}
