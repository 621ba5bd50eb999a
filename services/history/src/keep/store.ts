// What history keeps: the log, member documents (a projection of the log with each user's marks), rooms' names, what was said
// about messages, what users keep for themselves, marks, doors.
import type { Door, Draft, Expiry, MemberMode, OneSidedMode, Pin, Role, RoomState, Stay } from "@parley/protocol";
import type { Pass } from "@parley/runtime";
import type { Collection, IndexValue, MessageLog, Store } from "@parley/store";
import type { Annotations } from "./annotations.ts";
import { type FreedFile, notingFreed } from "./freed-files.ts";
import { keepingMemberships, type Memberships, readingMemberships } from "./memberships.ts";
import { notingReaders, openReaders, type Readers } from "./readers.ts";
import type { Timer } from "./timers.ts";

/** Per-user state of a conversation. The `…Ord` fields are the log's `ord` at the seq they belong to. */
export interface Member {
  conv: string;
  uid: string;
  role: Role;
  stays: Stay[];
  /** `ord` before the latest stay began */
  joinOrd: number;
  /** `ord` at the end of the latest stay, if it ended */
  leftOrd?: number;
  /** seq of the last membership event folded in */
  appliedSeq: number;
  /** may not become a member */
  banned?: true;
  /** no member yet: was asked, by whom, or asks to be let in */
  pending?: { as: "invited" | "asking"; by: string; mode?: MemberMode; devices?: readonly string[] };
  /** does not want to be invited again */
  blocks?: true;
  /** unix ms: may not write until then; null: until that is taken back */
  mutedUntil?: number | null;
  /** absent: it reads and writes. Who only writes has no open stay, and is a member all the same. */
  mode?: OneSidedMode;
  /** it is or was there with these devices only: others of the user neither read nor write here; absent: all */
  devices?: readonly string[];
  /** devices that came in later than the user, which read from there on */
  deviceJoins?: readonly DeviceJoin[];
  /** the invite link that let it in */
  link?: string;
  readSeq: number;
  readOrd: number;
  deliveredSeq: number;
  /** the last counted message this user sent */
  sentSeq: number;
  sentOrd: number;
  /** unix ms; only in rooms */
  sentAt?: number;
  deletedTo: number;
  deletedOrd: number;
  muted: boolean;
  pinned: boolean;
  /** the latest messages that mention the member and were not seen when the last one came */
  mentions?: readonly Recalled[];
  /** deleted by the member for itself, behind `deletedTo`; the `ord` of what does not count is 0 */
  hidden?: readonly Recalled[];
  settings?: MemberSettings;
  /** unix ms: when one of the marks that a receipt moves, or a setting, last changed */
  changedAt?: number;
  /** `uid`, once there is a stay: `readers.ts` */
  reader?: string;
}

/** Of one device, or `otherDevices`: all that are not named. `ord` is the log's before that. */
export type DeviceJoin = readonly [clientId: string, seq: number, ord: number];

/** How the member has the conversation. Each change is one `version` more: the latest counts. */
export interface MemberSettings {
  version: number;
  pinnedAt?: number;
  mutedUntil?: number;
  archived?: boolean;
  /** marked as unread when this was read: a later read mark ends it */
  unreadBehind?: number;
  name?: string;
}

/** What a user starred, in the order in which it did. */
export interface Stars {
  uid: string;
  stars: readonly { conv: string; seq: number; tags: readonly string[]; at: number }[];
}

/** When a user last changed its drafts or its stars; unix ms. */
export interface OwnChange {
  at: number;
}

/** How one user has a thread, which is named by the message that it is about. By `threadKey`. */
export interface ThreadMark {
  conv: string;
  seq: number;
  uid: string;
  following: boolean;
  readSeq: number;
  /** unix ms */
  changedAt: number;
}

/** `at` of a draft tells which device wrote last. */
export interface KeptDraft extends Draft {
  uid: string;
}

/** A message that was recalled: its place, and its `ord`, by which it would count as unread. */
export type Recalled = readonly [seq: number, ord: number];

export interface RoomSize {
  members: number;
  seq: number;
}

/** The pinned messages since the event `seq`, oldest pin first. */
export interface Pins {
  list: readonly Pin[];
  seq: number;
}

export interface ConversationExpiry {
  seq: number;
  expiry: Expiry | null;
}

/** What a conversation is besides its log. */
export interface ConversationInfo {
  conv: string;
  name: string;
  /** seq of the event that gave the name and the room's state */
  nameSeq: number;
  /** absent: no room, or one made by a version that kept this elsewhere */
  room?: RoomState;
  /** how many members there are since the event `seq` */
  size?: RoomSize;
  /** when its messages disappear that say nothing themselves, since the event `seq` */
  expiry?: ConversationExpiry;
  /** a message of it disappears a while after its first reading: whoever reads is looked for such ones */
  hasUnreadTimers?: true;
  /** unix ms: when the marks of its members last changed, to the minute; only rooms whose members are told of receipts */
  changedAt?: number;
  /** the latest messages that were recalled, by seq */
  recalled?: readonly Recalled[];
  /** the latest messages that mention all members, by seq */
  mentionsOfAll?: readonly Recalled[];
  pins?: Pins;
}

/** Everything of partition `q` up to `foldedPos` is in the member documents, up to `announcedPos` in JetStream. */
export interface Mark {
  foldedPos: number;
  announcedPos: number;
}

/** A place that a message with an attachment was about to have: the log says whether it has it. By `fileKey`. */
export interface FilePlace {
  file: string;
  conv: string;
  seq: number;
  /** unix ms: when the message was about to be stored; absent: long ago */
  at?: number;
  /** who was about to send it; absent: noted by an earlier version */
  from?: string;
}

/** A user of whom a room holds messages that came from another one, or was about to. By `memberKey`. */
export interface Sender {
  conv: string;
  uid: string;
}

/** A room that was deleted, or was about to be: how far its messages have left the store. */
export interface EndedRoom {
  conv: string;
  /** nothing is left of what was said up to here */
  emptiedTo: number;
  /** and nothing of it is found up to here */
  unfoundTo: number;
}

export interface HistoryStore {
  log: MessageLog;
  members: Collection<Member>;
  infos: Collection<ConversationInfo>;
  annotations: Collection<Annotations>;
  /** by uid */
  stars: Collection<Stars>;
  drafts: Collection<KeptDraft>;
  /** by `ownChangeKey` */
  ownChanges: Collection<OwnChange>;
  threads: Collection<ThreadMark>;
  marks: Collection<Mark>;
  /** as api tells them, by `{owner}`, `{owner} {other}` or, of the account itself, `{owner} *` */
  doors: Collection<Door>;
  files: Collection<FilePlace>;
  freed: Collection<FreedFile>;
  senders: Collection<Sender>;
  /** by conv */
  ended: Collection<EndedRoom>;
  timers: Collection<Timer>;
  readersNoted: Collection<{ at: number }>;
  readers: Readers;
  memberships: Memberships<Member>;
}

/** `pass`: marks points where a test can end the process. `isAlone`: nobody else writes to this store. */
export async function openHistoryStore(
  store: Store,
  pass: Pass = () => undefined,
  isAlone = store.exclusive,
): Promise<HistoryStore> {
  const documents = store.documents();
  const { members, ...kept } = await openAll({
    members: documents.collection<Member>({
      name: "members",
      indexes: { by_uid: ["uid", "conv"], by_conv: ["conv", "uid"], by_reader: ["reader", "conv"] },
    }),
    infos: documents.collection<ConversationInfo>({ name: "conversations" }),
    annotations: documents.collection<Annotations>({
      name: "annotations",
      indexes: { by_seq: ["conv", "seq"], by_thread: ["conv", "threadSeq"] },
    }),
    stars: documents.collection<Stars>({ name: "stars" }),
    drafts: documents.collection<KeptDraft>({ name: "drafts", indexes: { by_uid: ["uid", "conv"] } }),
    ownChanges: documents.collection<OwnChange>({ name: "own_changes" }),
    threads: documents.collection<ThreadMark>({ name: "threads", indexes: { by_uid: ["uid", "conv"] } }),
    marks: documents.collection<Mark>({ name: "marks" }),
    doors: documents.collection<Door>({
      name: "doors",
      indexes: {
        account: ["account"],
        blocked_by_owner: ["owner", "blocked"],
        blocked_by_other: ["other", "blocked"],
      },
    }),
    files: documents.collection<FilePlace>({ name: "files", indexes: { by_sender: ["file", "from"] } }),
    freed: documents.collection<FreedFile>({ name: "freed_files", indexes: { at: ["at"] } }),
    senders: documents.collection<Sender>({ name: "senders", indexes: { by_uid: ["uid", "conv"] } }),
    ended: documents.collection<EndedRoom>({ name: "ended" }),
    timers: documents.collection<Timer>({ name: "timers", indexes: { due: ["at"], unread: ["waits", "seq"] } }),
    readersNoted: documents.collection<{ at: number }>({ name: "readers_noted" }),
  });
  const log = notingFreed(store.log(), kept.freed, (place) => kept.files.remove(fileKey(place)), pass);
  const readers = await openReaders(members, kept.readersNoted);
  const noting = notingReaders(members);
  const keeping = isAlone ? keepingMemberships(noting) : { members: noting, memberships: readingMemberships<Member>() };
  return { ...kept, ...keeping, log, readers };
}

/** All under way at once, by their names. */
async function openAll<T extends Record<string, Promise<unknown>>>(
  opening: T,
): Promise<{ [Name in keyof T]: Awaited<T[Name]> }> {
  const opened = Object.entries(opening).map(async ([name, one]) => [name, await one] as const);
  return Object.fromEntries(await Promise.all(opened)) as { [Name in keyof T]: Awaited<T[Name]> };
}

/** Key of a member document. A conversation holds no space. */
export function memberKey(conv: string, uid: string): string {
  return `${conv} ${uid}`;
}

export function ownChangeKey(uid: string, what: "drafts" | "stars"): string {
  return `${uid} ${what}`;
}

/** Key of how a user has a thread. */
export function threadKey({ conv, seq, uid }: Pick<ThreadMark, "conv" | "seq" | "uid">): string {
  return `${conv} ${seq} ${uid}`;
}

/** Key of a file's place. All places of a file stand together. */
export function fileKey({ file, conv, seq }: FilePlace): string {
  return `${file} ${conv} ${seq}`;
}

/** All documents with these values of an index, page by page. */
export async function findAll<T extends object>(
  collection: Collection<T>,
  index: string,
  ...equals: IndexValue[]
): Promise<T[]> {
  const found: T[] = [];
  let page: string | null | undefined;
  do {
    const answer = await collection.find({ index, equals, limit: 1_000, ...(page ? { page } : {}) });
    for (const { doc } of answer.items) found.push(doc);
    page = answer.next;
  } while (page);
  return found;
}
