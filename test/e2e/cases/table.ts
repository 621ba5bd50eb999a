// The table: every method, and what it is asked. A file of rows a subject.
import { methods } from "@parley/protocol";
import type { TableRow } from "./row.ts";
import { conversationRows } from "./rows/conversations.ts";

export const table: readonly TableRow[] = [...conversationRows];

/** Methods whose rows are still to be written. */
export const unwritten: readonly string[] = [...methods.keys()].filter(
  (name) => !["history.get", "sync", "conversations.list", "conversations.setExpiry"].includes(name),
);
