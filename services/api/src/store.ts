// What api keeps: one collection each for accounts, names, profiles, rosters, keys, rooms, refresh tokens and so on.
import {
  AppError,
  type Contact,
  type ErrorCode,
  type LastSeenPrivacy,
  type MemberDevices,
  type MemberModes,
  type PasswordChange,
  type Revocation,
  type RoomState,
} from "@parley/protocol";
import { type RequestDoc, requestIndexes } from "@parley/runtime";
import { type Collection, type Documents, StoreError } from "@parley/store";
import type { Change } from "./location/walk.ts";

/** What a login is proven with. `passwordHash` null: it logs in through an application only. */
export interface PasswordDoc {
  passwordHash: string | null;
  /** the operation that last changed it: a request worked again finds its own work */
  passwordBy?: string;
  /** its last change; absent: it is the first one */
  passwordChange?: PasswordChange;
}

/** By uid. */
export interface UserDoc extends PasswordDoc {
  uid: string;
  /** the login that it shares with other accounts, which has the password then; absent: it is a login of its own */
  login?: string;
  /** as it was made; what it is now is the profile's */
  name: string | null;
  createdAt: number;
  kind: "user";
  /** the operation that made it */
  madeBy: string;
  /** `ask`: is asked before it becomes a member of a room */
  invitations?: "add" | "ask";
  /** is no user to anybody but an administrator */
  disabled?: true;
  /** which change of `disabled` it is: later ones are larger */
  accountVersion?: number;
  /** unix ms of a change of `disabled` that not everybody may know yet */
  untold?: number;
}

/** By id: a login that several accounts share. Which ones, their own documents say. */
export interface LoginDoc extends PasswordDoc {
  id: string;
  /** the account that is being added, one at a time; `since`: of the change that its password is to it */
  adding?: { uid: string; at: number; since?: number };
  /** unix ms: since when it is to be looked at, as its accounts change */
  doubtSince?: number;
}

/** By name in lower case: users, rooms and aliases share one namespace. */
export interface NameDoc {
  kind: "user" | "room" | "alias";
  /** as it was spelled when it was taken; absent: as the key */
  name?: string;
  /** its user was erased: nobody else is given it */
  gone?: true;
  /** of an alias: the account that it leads to */
  uid?: string;
  /** of an alias: the key, which others find it by */
  find?: string;
}

/** By uid. Made with the user; a field that is missing was never given. */
export interface ProfileDoc {
  uid: string;
  name?: string;
  nick?: string;
  avatar?: string;
  status?: string;
  language?: string;
  /** as JSON text */
  vcard?: string;
  visibility?: "everybody" | "contacts";
  directMessages?: "anyone" | "contacts";
  lastSeen?: LastSeenPrivacy;
  /** which change of `directMessages` it is: later ones are larger */
  directVersion?: number;
  /** what `users.search` finds it by, without case; absent: it is not found */
  find?: { uid: string; name?: string; nick?: string };
  /** unix ms of a change of `directMessages` that history may not know yet */
  untold?: number;
  /** unix ms: when contacts are to be told that what they see changed; while they are, when another replica begins anew */
  tellAt?: number;
  /** unix ms: when that last began */
  toldAt?: number;
}

/** What one of two is to the other, and what he notes. */
export interface Side {
  relation: Exclude<Contact["relation"], "removed">;
  blocked: boolean;
  muted: boolean;
  nick: string;
  group: string;
  note: string;
  tags: string[];
  /** unix ms, more with every change */
  changedAt: number;
  /** the operation that the owner last changed it by: a request worked again finds its own work */
  by?: string;
}

/** The other asks to be a contact, or is one now. `at`: unix ms */
export interface PairNotice {
  kind: "request" | "accepted";
  at: number;
}

/** By `a b`, a < b: what two users are to each other, changed in one write. A side that was never anything is missing. */
export interface PairDoc {
  a: string;
  b: string;
  ofA?: Side;
  ofB?: Side;
  /** the later of both */
  changedAt?: number;
  /** unix ms of a change that history may not know yet */
  untold?: number;
  /** what push is to tell their devices of */
  noticeToA?: PairNotice;
  noticeToB?: PairNotice;
  /** unix ms: when push is to be told; while it is, when another replica tells it */
  notifyAt?: number;
  /** with `untold`: they were each other's contact, and presence may not know that it is over */
  parted?: true;
  /** unix ms: since when neither is anything to the other */
  overSince?: number;
}

/** By uid and operation: a change of password that may not be made, or whose other sessions may not be ended yet. */
export interface PasswordChangeDoc {
  uid: string;
  /** the login whose password it is; absent: the user's own */
  login?: string;
  /** the change was made if who has the password has it, or a later one */
  since: number;
  begunAt: number;
}

/** By uid: a user who is erased, or was. */
export interface ErasureDoc {
  uid: string;
  /** of its account's door */
  version: number;
  begunAt: number;
  /** absent: it is done */
  pending?: true;
  /** when it was done first; with `pending`: it is done again */
  doneAt?: number;
}

/** By name of what is done to everything that is kept, once or at each start: when it last was. */
export interface MigrationDoc {
  doneAt: number;
}

/** By key id. `hash` is the key's SHA-256 as hex. */
export interface KeyDoc {
  id: string;
  name: string;
  createdAt: number;
  hash: string;
}

/** By room id: what it was made with. What it is and who is in it is history's; `members` are those that the creation adds. */
export interface RoomDoc extends Omit<RoomState, "archived" | "deleted" | "links"> {
  id: string;
  name: string;
  createdBy: string;
  createdAt: number;
  state: "creating" | "ready";
  members: string[];
  /** those of them who do not both read and write */
  modes?: MemberModes;
  /** those of them who are there with some of their devices only */
  devices?: MemberDevices;
  /** those of them who are asked first */
  askFirst?: string[];
  device: string;
  madeBy: string;
}

/**
 * One family of refresh tokens: a login's first token and its successors, of which one is good at a time. By the SHA-256
 * (hex) of the first one, which every successor names. One document, so that a refresh and a revocation are one write each.
 */
export interface RefreshTokenDoc {
  uid: string;
  clientId: string;
  /** `since` of the password that it was begun under; absent: 0 */
  passwordSince?: number;
  /** what the device speaks, where it is another protocol than Parley's own */
  dialect?: string;
  /** of the good token, unix ms */
  issuedAt: number;
  expiresAt: number;
  /** SHA-256 (hex) of the good token; absent: still the first one */
  current?: string;
  /** those used within the grace: SHA-256 (hex) and when (unix ms) */
  used?: { token: string; at: number }[];
  /** written by versions that kept one document a token: when its first token was used */
  usedAt?: number | null;
}

/** By `revocationKey`. `announced` false: the others may not have heard of it. */
export interface RevocationDoc extends Revocation {
  announced: boolean;
}

/** By attachment id. */
export interface AttachmentDoc {
  /** who uploaded it, or has it from who did and is gone */
  uid: string;
  /** others who have it from the user who is gone */
  heirs?: string[];
  /** `uid` is being erased and has it no more: only `heirs` do */
  left?: true;
  name: string;
  /** media type, by what the bytes are */
  type: string;
  size: number;
  /** 64 hex digits */
  sha256: string;
  /** the blob that holds its bytes; equal bytes share one */
  blob: string;
  createdAt: number;
  /** absent: it is known that a message refers to it */
  unsentSince?: number;
  /** who uploaded it is gone: whose it is now has what others get */
  handedOn?: true;
}

/** By the id of the attachment that it becomes: an upload that comes in pieces. */
export interface UploadDoc {
  uid: string;
  name: string;
  /** bytes, when it is whole */
  size: number;
  /** tus' `Upload-Metadata`, as it was given */
  metadata: string;
  /** what is durable of it, in order; none when it is finished */
  pieces: readonly { blob: string; size: number }[];
  expiresAt: number;
  /** its owner, until it is an attachment */
  openOf?: string;
}

/** By `scheduledKey`. A message that is sent later; the id is its own, so that sending it twice is sending it once. */
export interface ScheduledDoc {
  uid: string;
  /** the device that it is from, also when it is sent */
  device: string;
  id: string;
  conv: string;
  /** the message as it will be stored, JSON text */
  body: string;
  /** the attachment that it refers to, which is kept for it */
  file?: string;
  /** unix ms */
  at: number;
  /** unix ms: when it is to be looked at; absent: it failed */
  dueAt?: number;
  /** unix ms: since when a replica sends it; its outcome is unknown until the document is gone, or has none of it */
  sendingSince?: number;
  error?: { code: ErrorCode; message: string };
}

/** By SHA-256: where these bytes are, for whoever uploads them again. */
export interface ContentDoc {
  blob: string;
  /** unix ms: when an upload last found them */
  usedAt: number;
  /** absent: nothing is made of such files */
  looked?: LookedAt;
  /** absent: it was uploaded while nothing was scanned */
  scan?: Scan;
  /** absent: nothing is taken out of such files, or it was not looked for yet */
  shared?: SharedBytes;
}

/** What all but who uploaded them get of some bytes: as many, without where they were made. */
export interface SharedBytes {
  /** 64 hex digits */
  sha256: string;
  /** none: they are the same */
  changes: readonly Change[];
}

/** What clamd says of a file. */
export interface Scan {
  size: number;
  /** `unscanned`: too large for it */
  state: "pending" | "clean" | "infected" | "unscanned";
  /** unix ms: when somebody may take it; absent: it is done */
  dueAt?: number;
  /** how often somebody took it */
  tries: number;
}

/** What is made of a file. */
export interface LookedAt {
  /** media type and bytes of the file */
  type: string;
  size: number;
  state: "pending" | "ready" | "failed";
  /** unix ms: when somebody may take it; absent: it is done */
  dueAt?: number;
  /** how often somebody took it */
  tries: number;
  reason?: "unreadable" | "too_large" | "too_slow";
  /** `waveform`: from 0 to `loudestBar`; beside `duration`, seconds that older versions wrote, from 0 to 100 */
  made?: { width?: number; height?: number; durationMs?: number; waveform?: number[]; duration?: number };
  thumbnail?: { blob: string; type: string; width: number; height: number; size: number };
}

/** By phone: the login that its accounts are of. */
export interface PhoneDoc {
  phone: string;
  login: string;
}

/** By whose it is: a code that was sent to a phone or mailbox. */
export interface CodeDoc {
  /** the phone or mailbox */
  to: string;
  deviceKey?: string;
  /** HMAC of the code */
  hash: string;
  /** how often it was guessed */
  guesses: number;
  /** unix ms */
  expiresAt: number;
  /** unix ms: when it was guessed right */
  doneAt?: number;
}

/** By uid and name: what programs keep for the account. */
export interface StorageDoc {
  uid: string;
  /** as JSON text */
  value: string;
  version: number;
}

export interface ApiStore {
  users: Collection<UserDoc>;
  logins: Collection<LoginDoc>;
  names: Collection<NameDoc>;
  keys: Collection<KeyDoc>;
  profiles: Collection<ProfileDoc>;
  pairs: Collection<PairDoc>;
  rooms: Collection<RoomDoc>;
  refreshTokens: Collection<RefreshTokenDoc>;
  revocations: Collection<RevocationDoc>;
  requests: Collection<RequestDoc>;
  passwordChanges: Collection<PasswordChangeDoc>;
  erasures: Collection<ErasureDoc>;
  migrations: Collection<MigrationDoc>;
  attachments: Collection<AttachmentDoc>;
  contents: Collection<ContentDoc>;
  /** by blob: bytes that are about to be removed, since `at` (unix ms); `foundAt`: of the upload that had found them */
  leaving: Collection<{ at: number; foundAt?: number }>;
  uploads: Collection<UploadDoc>;
  scheduled: Collection<ScheduledDoc>;
  phones: Collection<PhoneDoc>;
  codes: Collection<CodeDoc>;
  storage: Collection<StorageDoc>;
}

export async function openApiStore(documents: Documents): Promise<ApiStore> {
  return {
    users: await documents.collection<UserDoc>({
      name: "users",
      indexes: { untold: ["untold"], changed: ["accountVersion"], login: ["login"] },
    }),
    logins: await documents.collection<LoginDoc>({ name: "logins", indexes: { doubt: ["doubtSince"] } }),
    names: await documents.collection<NameDoc>({ name: "names", indexes: { uid: ["uid"], alias: ["find"] } }),
    keys: await documents.collection<KeyDoc>({ name: "keys" }),
    profiles: await documents.collection<ProfileDoc>({
      name: "profiles",
      indexes: {
        uid: ["find.uid"],
        name: ["find.name"],
        nick: ["find.nick"],
        untold: ["untold"],
        changed: ["directVersion"],
        tell: ["tellAt"],
      },
    }),
    pairs: await documents.collection<PairDoc>({
      name: "pairs",
      indexes: {
        a: ["a"],
        b: ["b"],
        ofA: ["a", "ofA.changedAt"],
        ofB: ["b", "ofB.changedAt"],
        untold: ["untold"],
        notify: ["notifyAt"],
        over: ["overSince"],
        changed: ["changedAt"],
      },
    }),
    rooms: await documents.collection<RoomDoc>({ name: "rooms", indexes: { state: ["state"] } }),
    refreshTokens: await documents.collection<RefreshTokenDoc>({
      name: "refresh_tokens",
      indexes: { device: ["uid", "clientId"], expires: ["expiresAt"] },
    }),
    revocations: await documents.collection<RevocationDoc>({
      name: "revocations",
      indexes: { until: ["until"], before: ["before"] },
    }),
    requests: await documents.collection<RequestDoc>({ name: "requests", indexes: requestIndexes }),
    passwordChanges: await documents.collection<PasswordChangeDoc>({ name: "password_changes" }),
    erasures: await documents.collection<ErasureDoc>({
      name: "erasures",
      indexes: { pending: ["pending"], done: ["doneAt"] },
    }),
    migrations: await documents.collection<MigrationDoc>({ name: "migrations" }),
    attachments: await documents.collection<AttachmentDoc>({
      name: "attachments",
      indexes: { unsent: ["unsentSince"], blob: ["blob"], uid: ["uid"] },
    }),
    contents: await documents.collection<ContentDoc>({
      name: "contents",
      indexes: { blob: ["blob"], due: ["looked.dueAt"], thumbnail: ["looked.thumbnail.blob"], scan: ["scan.dueAt"] },
    }),
    leaving: await documents.collection<{ at: number; foundAt?: number }>({ name: "leaving" }),
    uploads: await documents.collection<UploadDoc>({
      name: "uploads",
      indexes: { open: ["openOf"], expires: ["expiresAt"], uid: ["uid"] },
    }),
    scheduled: await documents.collection<ScheduledDoc>({
      name: "scheduled",
      indexes: { due: ["dueAt"], of_user: ["uid", "at"], file: ["file"] },
    }),
    phones: await documents.collection<PhoneDoc>({ name: "phones", indexes: { login: ["login"] } }),
    codes: await documents.collection<CodeDoc>({ name: "codes", indexes: { to: ["to"], expires: ["expiresAt"] } }),
    storage: await documents.collection<StorageDoc>({ name: "storage", indexes: { uid: ["uid"] } }),
  };
}

/** Any thrown value as an AppError: a store that cannot answer now is `unavailable`, not a failure of ours. */
export function errorOf(thrown: unknown): AppError {
  if (!(thrown instanceof StoreError)) return AppError.from(thrown);
  // Text that is no key of a store names nothing; schemas refuse it before it comes here.
  if (thrown.code === "invalid_key") return new AppError("invalid_packet", "an id has characters that no id has");
  const isAway = thrown.code === "unavailable" || thrown.code === "full";
  return isAway ? new AppError("unavailable", undefined, { cause: thrown }) : AppError.from(thrown);
}
