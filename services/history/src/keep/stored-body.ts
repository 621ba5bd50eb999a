// The body of a stored entry as it is answered.
import type { LogEntry } from "@parley/store";

/** The content of an entry, read. */
export function contentOf(entry: LogEntry): { type: string; [field: string]: unknown } {
  const body = storedBody(entry);
  return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()).content;
}

/** The body of an entry; of an erased one, empty content in its place. */
export function storedBody(entry: LogEntry): Uint8Array {
  return entry.body.byteLength > 0 ? entry.body : erasedBody(entry);
}

/** What stands in the place of a message that was erased or recalled. */
export function erasedBody({ id, conv }: LogEntry): Uint8Array {
  return Buffer.from(JSON.stringify({ id, to: conv, content: { type: "erased" } }));
}
