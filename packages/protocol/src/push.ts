// Push notifications: what push asks of the other services, and what waits in its work queue.
import type { Message } from "./packets/downlink.ts";

/** Providers whose queues stand in the stream PUSH. */
export const pushProviders = ["apns", "fcm", "webpush"] as const;
export type PushProvider = (typeof pushProviders)[number];

/** `history.push`: what is there to be said of these messages to these users? At most `pushAskedMax`. → PushStateReply */
export interface PushStateRequest {
  asked: readonly PushAsked[];
}

export interface PushAsked {
  uid: string;
  conv: string;
  seq: number;
  /** the device, where it matters that a user is there with some of its devices only */
  clientId?: string;
}

export const pushAskedMax = 500;

/** Answers of the first `states.length` of what was asked, at least one; the rest is asked for again. */
export interface PushStateReply {
  /** one an asked, in order */
  states: PushState[];
  /** one a place (`{conv} {seq}`) of those; null: it was recalled, is over, erased, or was never there */
  messages: Record<string, Message | null>;
  /** of those users the unread messages of all their conversations */
  badges: Record<string, number>;
  /** of those rooms what they are called */
  rooms: Record<string, string>;
}

/** How a user has a conversation, as far as a notification about one message goes. */
export interface PushState {
  /** it lies in a stay of the user (of the device), is not deleted for the user, and its sender is not blocked */
  mayRead: boolean;
  /** the event at that place asks the user in, and that still stands */
  isInvited?: true;
  readSeq: number;
  /** unix ms; absent: not muted */
  mutedUntil?: number;
  /** the message mentions the user, or everybody */
  mentioned?: true;
  unread: number;
  /** the user's own name for the conversation */
  name?: string;
  /** in place of `badges`: of the device, where the user is in some conversations with some of its devices only */
  badge?: number;
}

/** `history.read` (event, gathered): these users have read on. */
export interface ReadOn {
  reads: { uid: string; conv: string; seq: number; clientId?: string }[];
}

/** `people.push`: of each, what `uid` calls `by` and how it has `by`. At most 500. → PushPeopleReply */
export interface PushPeopleRequest {
  asked: readonly { uid: string; by: string }[];
}

export interface PushPeopleReply {
  /** one an asked, in order */
  people: { name: string; muted?: true; blocked?: true; relation?: "contact" | "requested" | "pending" }[];
}

/** `presence.push`: how the devices of these users are there. At most 500 users. → PushPresenceReply */
export interface PushPresenceRequest {
  uids: readonly string[];
}

export interface PushPresenceReply {
  /** who has no device connected is missing */
  users: Record<string, { dnd?: true; devices: { clientId: string; active: boolean }[] }>;
}

/** `push.notice`: tell a user's devices of this, which no message does. → {} when it is in the work queue, for good. */
export interface PushNoticeRequest {
  uid: string;
  kind: "request" | "accepted";
  /** who asks, or is a contact now */
  by: string;
  /** unix ms */
  at: number;
}

/** `attachments.signed`: addresses under which thumbnails can be had for a while without a token. → {urls} one an asked */
export interface SignedThumbnailsRequest {
  asked: readonly { file: string; uid: string }[];
}

export interface SignedThumbnailsReply {
  /** null: there is none, or it is not the user's to have */
  urls: (string | null)[];
}

/** `presence.credential` ({clientId}) → whose device it is and with what its connection was made, as far as presence knows. */
export interface ConnectionCredential {
  /** absent: nobody's as far as is known */
  uid?: string;
  /** it has connected, or logged in and been given a name, and was not removed since */
  known?: true;
  /** of a device that is connected; without `issuedAt` and `passwordSince`: one that presence was not asked about */
  connection?: {
    /** unix ms: when it began */
    at: number;
    /** of the token, unix s */
    issuedAt?: number;
    passwordSince?: number;
    /** the login that the token comes from */
    family?: string;
  };
}

/** `push.changed`: of these users. */
export interface PushChanged {
  uids: readonly string[];
}

/** `push.erase` ({uid}) → {}: a user is erased, its tokens and settings go. */
export interface PushEraseRequest {
  uid: string;
}

/** `push.test` ({uid}) → what became of one notification to each of the user's tokens. */
export interface PushTestReply {
  devices: { clientId: string; kind: string; appId: string; outcome: string; words: string }[];
}

/** `push.replay`: dead letters go to their queue again, at most so many at a time. → PushReplayReply */
export interface PushReplayRequest {
  provider?: PushProvider;
  limit: number;
}

export interface PushReplayReply {
  replayed: number;
  /** those that are of no use any more: they are removed */
  expired: number;
  /** those that are left */
  left: number;
  /**
   * by provider: messages of its queue that are not done, of as many as 32 notifications each; what waits for a provider that is left
   * alone as well. Of those asked for that have settings; absent: JetStream did not say
   */
  waiting?: Partial<Record<PushProvider, number>>;
}

/** What waits in PUSH for one token: a reference, so that what is recalled or read meanwhile is not sent. */
export interface PushJob {
  kind: "message" | "call" | "invitation" | "request" | "accepted" | "read";
  uid: string;
  clientId: string;
  /** key of the token's document */
  token: string;
  conv?: string;
  seq?: number;
  /** of request and accepted */
  by?: string;
  /** unix ms: when what it tells of happened */
  at: number;
  /** of one that was given up and is tried again: the place of its dead letter in DEAD */
  letter?: number;
}

/** What one JetStream message of PUSH holds (`push.queue.{provider}`). */
export interface PushChunk {
  jobs: PushJob[];
  /** how often these were tried in vain */
  attempt: number;
  /** unix ms: they are not tried before */
  notBefore?: number;
}

/** `dead.push.{provider}`: a job that was given up. */
export interface DeadPush {
  provider: PushProvider;
  job: PushJob;
  reason: string;
  /** unix ms */
  at: number;
}
