// An outbox in a JSON lines file, for Node.
import { openKeyedFile } from "./keyed-file.ts";
import type { OutgoingMessage } from "./outbox.ts";
import type { OutboxStore } from "./outbox-store.ts";

/** One program at a time may use a file. */
export function fileOutbox(path: string): OutboxStore {
  return openKeyedFile<OutgoingMessage>(path, ({ id }) => id);
}
