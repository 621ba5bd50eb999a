// What an application hands in and hears.
import type {
  AppError,
  AttachmentNotice,
  Contact,
  ConversationNotice,
  DraftNotice,
  InvitationNotice,
  Message,
  PresenceNotice,
  ReceiptNotice,
  ScheduledNotice,
  StarNotice,
  ThreadNotice,
  TypingNotice,
} from "@parley/protocol";
import type { CacheStore } from "./cache-store.ts";
import type { ConversationChange } from "./changes.ts";
import type { Transport } from "./connection.ts";
import type { OutboxStore } from "./outbox-store.ts";
import type { Ack } from "./promises.ts";
import type { KeptSession } from "./session.ts";
import type { Session, SessionStore } from "./session-store.ts";
import type { SyncedConversation } from "./sync.ts";

export type ClientState = "connecting" | "syncing" | "online" | "offline";

export type ParleyEvents = {
  /** every message of the user's conversations, its own too: once, in `seq` order a conversation */
  message: Message;
  /** who is in a room and as what, what it is, what is pinned in a conversation; its message comes before */
  change: ConversationChange;
  receipt: ReceiptNotice;
  typing: TypingNotice;
  presence: PresenceNotice;
  /** somebody asks the user into a room; `rooms.invitations` has those that were missed */
  invitation: InvitationNotice;
  /** an entry of the user's roster that was changed, by whichever device or by the other side; `roster.list` has all */
  roster: Contact;
  state: ClientState;
  /** a conversation as a sync saw it: unread, read mark, receipts; on return every one that may have changed */
  conversation: Omit<SyncedConversation, "messages">;
  /** the user changed on some device what it keeps of a conversation: deleted messages, settings */
  own: ConversationNotice;
  /** the user starred a message on some device, or no longer */
  star: StarNotice;
  /** a draft of the user changed on some device */
  draft: DraftNotice;
  /** drafts or stars may have changed while the device was away: list them anew */
  kept: { drafts: boolean; stars: boolean };
  /** a message that is sent later was scheduled, changed, sent, refused or taken back */
  scheduled: ScheduledNotice;
  /** what the server made of a file that the user uploaded: its size, duration and thumbnail; it may be missed, `attachments.info` has it */
  attachment: AttachmentNotice;
  /** the user read a thread on some device, follows it or not */
  thread: ThreadNotice;
  /** an acknowledged message, also one of an earlier run that the store had kept */
  sent: Ack;
  /** a message that was refused for good */
  failed: { id: string; error: AppError };
  /**
   * a refusal that belongs to no promise: of a receipt or a typing packet, of connections that are tried again, or of a
   * store, in whose place memory serves (`details.reason`: `cache` or `outbox`)
   */
  error: AppError;
  /**
   * nothing is tried any more: another program uses this device (`conflict`), or its login has run out
   * (`unauthenticated`); what is unsent stays in the store
   */
  refused: AppError;
};

export interface ClientOptions {
  /** the server, `http://127.0.0.1:8080` */
  url: string;
  username?: string;
  password?: string;
  /** with user name and password: another account of this login; default: the one of the user name */
  account?: string;
  /** with user name and password: the client id becomes `{uid}:{device}` */
  device?: string;
  /** with user name and password: what kind of program it is, as the user's list of devices shows it; default: browser or node */
  kind?: string;
  /** instead of a password: what `session` events or login answered */
  session?: KeptSession;
  /** called with every new session; keep it, its refresh token works once */
  onSession?: (session: Session) => void;
  /** default: `ws` in browsers and for https servers, else `tcp` */
  transport?: Transport;
  /** keeps the session, for starts without a login and for several tabs or programs of one device */
  sessionStore?: SessionStore;
  /** keeps unacknowledged messages; default: memory */
  store?: OutboxStore;
  /** keeps what was shown, so that the app starts from it; default: nothing is kept */
  cache?: CacheStore;
  /** messages a conversation that the cache keeps; default 50 */
  cachedMessages?: number;
  /** conv → last seq that was shown; what lies after is shown; default: as the cache has it */
  cursors?: Record<string, number>;
  /** without cursors: show all there ever was (`start`, the default), or only what comes (`now`) */
  from?: "start" | "now";
  /** how long connectParley waits until all is there; default 30,000 */
  connectTimeoutMs?: number;
  /** the largest packet that the device takes, in bytes, at least 1,024; default: any */
  maximumPacketSize?: number;
  /** tells others that messages have arrived; default true */
  sendDelivered?: boolean;
}

/** Listeners that hear everything from the first message on. */
export type Listeners = { [K in keyof ParleyEvents]?: (value: ParleyEvents[K]) => void };
