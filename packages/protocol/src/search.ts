// What search and others say to each other over NATS as JSON; subjects stand in subjects.ts.
import type { Stay } from "./services.ts";

/** `history.readable`: what a user may read, conversations by their names from behind `after` on. */
export interface ReadableRequest {
  uid: string;
  after?: string;
}

/** The stays, and the message up to which the user deleted the conversation. */
export interface ReadableConversation {
  conv: string;
  stays: Stay[];
  deletedTo: number;
  /** for these devices of the user alone */
  devices?: string[];
}

export interface ReadablePage {
  conversations: ReadableConversation[];
  /** ask for the rest with this as `after` */
  next?: string;
}

/** A message, and the entry that says what it holds now: its own `seq`, or that of an edit. */
export interface MessagePlace {
  conv: string;
  seq: number;
  version: number;
}

/** `history.messages`: messages by their places, as a result of `search.messages`, for a user's device. */
export interface MessagesRequest {
  uid: string;
  places: MessagePlace[];
  /** as in Caller */
  clientId?: string;
  maxBytes?: number;
}

/**
 * `{"taken":n,"results":[…]}`: of the first `taken` places those that the user may read now, in order; the rest had no room.
 * This is its beginning.
 */
export const takenPattern: RegExp = /^\{"taken":(\d+),/;

/** `history.log`: entries of a partition behind `after`, in order, as a frame (stored.ts); none: there are no more now. */
export interface LogRequest {
  q: number;
  after: number;
  limit: number;
}

/** `history.ends`: the last `pos` of each partition. */
export interface LogEnds {
  ends: number[];
}

/**
 * `search.remove`: these messages were erased in the log, and are not to be found again → {}, once no copy is on the disk; with
 * `later` the disk is left to `compact.search`.
 */
export interface RemoveRequest {
  conv: string;
  seqs: number[];
  later?: boolean;
}

/** `search.rebuild`: with `begin` a new index is built, unless one is being built; else only asked how far it is. */
export interface RebuildRequest {
  begin?: boolean;
}

export interface RebuildProgress {
  /** entries of the log; null: none is being built */
  building: { done: number; of: number } | null;
  /** the index that is searched, and when it was finished (unix ms); null: there is none yet */
  current: { name: string; builtAt: number } | null;
}
