// The attachment that an entry of the log refers to.
import { attachmentOf } from "@parley/protocol";
import type { LogEntry } from "@parley/store";

/** An erased message refers to nothing. */
export function entryFile({ body }: LogEntry): string | undefined {
  if (body.byteLength === 0) return undefined;
  const { content } = JSON.parse(Buffer.from(body).toString()) as { content: object };
  return attachmentOf(content);
}
