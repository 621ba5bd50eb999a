// @parley/client: the SDK for browsers and Node.
export {
  AppError,
  type Attachment,
  type AttachmentNotice,
  type Contact,
  type ConversationNotice,
  type DraftNotice,
  type ErrorCode,
  type Expiry,
  type FileContent,
  type InvitationNotice,
  type Message,
  type MessageContent,
  type ParamsOf,
  type PollState,
  type Presence,
  type PresenceNotice,
  type ReceiptNotice,
  type ResultOf,
  type Scheduled,
  type ScheduledNotice,
  type StarNotice,
  type StatePacket,
  type ThreadNotice,
  type ThreadState,
  type TypingNotice,
} from "@parley/protocol";

export {
  type CacheChanges,
  type Cached,
  type CachedConversation,
  type CacheStore,
  storageCache,
} from "./cache-store.ts";
export type { Change, ConversationChange } from "./changes.ts";
export type { ParleyClient } from "./client.ts";
export { connectParley, startClient } from "./connect.ts";
export type { Transport } from "./connection.ts";
export { exportAccount } from "./export-account.ts";
export {
  type DownloadOptions,
  downloadFile,
  type FileBytes,
  type TokenSource,
  type UploadOptions,
  uploadFile,
} from "./files.ts";
export { callHttp, type HttpOptions } from "./http.ts";
export { indexedCache } from "./indexed-cache.ts";
export { indexedOutbox } from "./indexed-outbox.ts";
export { type KnownOptions, knownContent } from "./known-content.ts";
export type { ClientOptions, ClientState, Listeners, ParleyEvents } from "./options.ts";
export type { OutgoingMessage } from "./outbox.ts";
export { type KeyValueStorage, type OutboxStore, storageOutbox } from "./outbox-store.ts";
export type { Content, SendOptions } from "./outgoing.ts";
export type { Ack } from "./promises.ts";
export type { Marks } from "./receipts.ts";
export type { KeptSession } from "./session.ts";
export { type Session, type SessionStore, storageSession } from "./session-store.ts";
export type { SyncedConversation } from "./sync.ts";
