// What a client is made of, read and opened before it begins.
import type { AppError } from "@parley/protocol";
import type { Cached } from "./cache-store.ts";
import type { ClientOptions, Listeners } from "./options.ts";
import type { OutgoingMessage } from "./outbox.ts";
import type { Sessions } from "./session.ts";

export interface ClientParts {
  options: ClientOptions;
  listeners: Listeners;
  sessions: Sessions;
  /** what the outbox's store had kept */
  kept: OutgoingMessage[] | undefined;
  /** what the cache had kept */
  cached: Cached | undefined;
  /** stores that could not be read: told, and gone on without */
  troubles?: readonly AppError[];
}
