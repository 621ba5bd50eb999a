// What services say to each other over NATS as JSON; subjects stand in subjects.ts. Unknown fields are allowed here.
import type { WireError } from "./errors.ts";
import type { LastSeenPrivacy } from "./methods/users.ts";
import type { Notice, PresenceNotice, ReceiptNotice } from "./packets/downlink.ts";
import type { StatePacket } from "./packets/uplink.ts";
import type { Device } from "./recipients.ts";
import type { OneSidedMode, Role, Standing } from "./rooms.ts";
import type { TreeOwner } from "./trees.ts";

/** Who asks for a method: the identity that broker or HTTP verified, and how it came. */
export interface Caller {
  uid: string;
  clientId?: string;
  via: "mqtt" | "http" | "key" | "service";
  /** the login that the shown token comes from */
  family?: string;
  /** of the shown token: unix s, and which of the account's passwords it was made under */
  issuedAt?: number;
  passwordSince?: number;
  /** the request's own id or Idempotency-Key: makes a changing method safe to send again for 24 h */
  requestId?: string;
  /** the largest answer that the device takes, as bytes of the whole packet: pages end before it */
  maxBytes?: number;
}

/** `rpc.{method}` */
export interface MethodRequest {
  caller: Caller;
  params: unknown;
}

/** A stay in a conversation: the messages `joinSeq … leftSeq` (null: still a member). */
export type Stay = [joinSeq: number, leftSeq: number | null];

export interface MemberRow {
  uid: string;
  role: Role;
  stays: Stay[];
  /** unix ms: until when it may not write; null: until that is taken back */
  mutedUntil?: number | null;
  /** absent: it reads and writes */
  mode?: OneSidedMode;
  /** it is there with these devices only; absent: with all */
  devices?: string[];
  /** devices, or `otherDevices`, that came in later than the user: with which message */
  deviceJoins?: [clientId: string, seq: number][];
}

/** `uid` asks for the attachment `file` that `owner` uploaded, or that users have it from whose owner is gone. */
export interface AttachmentRequest {
  file: string;
  owner: string;
  heirs?: string[];
  uid: string;
  /** the user's device that asks; absent: the user itself */
  clientId?: string;
}

/** `history.attachmentFor`: who of `uids`, at most 500, may have that attachment? → AttachmentForReply */
export interface AttachmentForRequest extends Omit<AttachmentRequest, "uid" | "clientId"> {
  uids: readonly string[];
}

export interface AttachmentForReply {
  uids: string[];
}

/**
 * Of an owner who is being erased: who has the attachment from it, or from one of `heirs`, and sent it on, and who of `others`, at
 * most 50, has it? → HeirsReply
 */
export interface HeirsRequest extends Omit<AttachmentRequest, "uid" | "clientId"> {
  others?: readonly string[];
  /** `next` of the page before */
  page?: string;
}

/** One page; a user may be in several. */
export interface HeirsReply {
  heirs: string[];
  next: string | null;
}

/** A note that a message with this attachment was emptied; `version` tells it from a later one. */
export interface FreedFile {
  file: string;
  version: number;
}

/** `history.freed` → FreedReply. */
export interface FreedRequest {
  /** those that are removed now: they are forgotten */
  removed: readonly FreedFile[];
  /** unix ms: of messages emptied before; what is emptied may take a moment */
  before: number;
  /** `next` of the page before */
  page?: string;
}

export interface FreedReply {
  files: FreedFile[];
  next: string | null;
}

/** `attachments.sendable`: may these users send these attachments? At most 500. → SendableReply */
export interface SendableRequest {
  asked: readonly { file: string; uid: string }[];
}

/** `unfinished`: the user has not uploaded all of it. `unknown`: nobody can say now. */
export type Sendable = "yes" | "no" | "unfinished" | "unknown";

/** One an asked, in order. */
export interface SendableReply {
  answers: Sendable[];
}

/** Which of these attachments, at most 500, were sent? → AttachmentsSent */
export interface AttachmentsRequest {
  files: readonly string[];
}

/** `taken`: of so many of them, from the first on, it was looked up; at least one. */
export interface AttachmentsSent {
  sent: string[];
  taken: number;
}

/** `history.members.{holder}` → MemberPage. */
export interface MembersRequest {
  conv: string;
  /** only stays that reach this message or end later; without it: only those of who is a member now */
  seq?: number;
  /** the `memberSeq` of a list the caller has: answered with `unchanged` if that is still it */
  known?: number;
  /** with `known`: only those who changed since, if they fit into one page */
  changes?: true;
  /** the `next` of the page before */
  after?: string;
  /** who is no member but stands so to the room, in place of its members */
  standing?: Standing;
}

/** Members as of the membership event `memberSeq`, in the order of their uids. Pages of another `memberSeq` don't fit together. */
export interface MemberPage {
  conv: string;
  memberSeq: number;
  members: MemberRow[];
  unchanged?: true;
  /** only those who changed behind the event `since`; without stays: no stay of theirs is asked for any more */
  since?: number;
  /** of a direct conversation: whose messages the other side does not take */
  refused?: string[];
  /** the room is a topic of guests: whoever hears that topic gets its messages too */
  guests?: true;
  /** ask for the rest with this as `after` */
  next?: string;
}

/** All pages together. */
export interface MemberList {
  conv: string;
  memberSeq: number;
  members: MemberRow[];
  since?: number;
  guests?: true;
}

/** `members.{q}` (event): a cached list older than `memberSeq` is stale. */
export interface MembersChanged {
  conv: string;
  memberSeq: number;
}

/** `history.receipt.{holder}`: a device's high-water marks. */
export interface ReceiptRequest {
  conv: string;
  uid: string;
  /** the device that says so; absent: the user itself */
  clientId?: string;
  delivered?: number;
  read?: number;
}

/** `erasing`, `gone`: nothing is sent to it either. */
export type AccountDoor = "open" | "disabled" | "erasing" | "gone";

/** `history.receipts.{holder}` → the result of `messages.receipts`: how far message `seq` came, as `uid` may know it. */
export interface MessageReceiptsRequest {
  conv: string;
  seq: number;
  uid: string;
  /** the device that asks; absent: the user itself */
  clientId?: string;
}

/** What a user lets in: the latest `version` counts. Without `other` it is about everybody who has no door of his own. */
export interface Door {
  owner: string;
  other?: string;
  version: number;
  /** of `other`: nothing of his is taken */
  blocked?: boolean;
  /** of `other`: he is in the owner's roster */
  contact?: boolean;
  /** without `other`: who may write */
  direct?: "anyone" | "contacts";
  /** a door by itself: a closed account sends nothing to anybody */
  account?: AccountDoor;
}

/** `tokens.logins` ({uid}) → those whose refresh tokens are good; at most 1,000, of a device at most 8 `families`. */
export interface LoginsReply {
  /** `at`: of the token that is good now, unix ms; `families`: the logins of the device; `passwordSince`: of the last of them */
  logins: { clientId: string; at: number; families?: string[]; passwordSince?: number }[];
}

/** `tokens.renew` ({uid, clientId}) → a token of the device's login. `expiresAt`: unix ms */
export interface RenewedToken {
  token: string;
  expiresAt: number;
}

/** `users.accounts`: of each user the accounts of its login, the user among them; who is none is missing. → AccountsReply */
export interface AccountsRequest {
  uids: string[];
}

export interface AccountsReply {
  accounts: Record<string, string[]>;
}

/** `people.contacts` ({uid}) → who is told of the user's presence: each is the other's contact, and neither has blocked. */
export interface ContactsReply {
  uids: string[];
  /** who may know when the user was last seen */
  lastSeen: LastSeenPrivacy;
  /** there is no such user any more: nothing is to be kept of it */
  isGone?: true;
}

/** `users.exists` → {exists}; with `by`: as far as that user may know. */
export interface ExistsRequest {
  uid: string;
  by?: string;
  /** aliases too, and in any case */
  anyName?: true;
}

/** `rooms.open` → {}: makes the room of a topic of guests, if it is not there; refused where no guest may use that topic. */
export interface OpenRoomRequest {
  id: string;
}

/** `people.seen` → what `by` may know of the user's presence; `not_found` where it may not see the user at all. */
export interface SeenRequest {
  uid: string;
  by: string;
}

export interface SeenReply {
  /** as it is registered: it may be asked for in any case. Absent: by a version before */
  uid?: string;
  presence: boolean;
  lastSeen: boolean;
}

/**
 * `presence.contacts` → {}: what `people.contacts` says of the user changed. With `other` of both, who from now on are
 * or are not each other's contact. Answered when nobody is told or shown anything by what was so before.
 */
export interface ContactsChanged {
  uid: string;
  other?: string;
  areContacts?: boolean;
}

/** `history.doors.{holder}` → {}: answered when no message that they refuse can be stored any more. */
export interface DoorsRequest {
  doors: Door[];
}

/** What the marks are now and whom to tell: all devices of `tell`, and `devices`. Nobody when nothing moved. */
export interface ReceiptReply {
  notice: ReceiptNotice;
  tell: readonly string[];
  devices?: readonly Device[];
}

/** `notify`: a router publishes `packet` to all devices of `uids`, to one device, or to several. */
export interface NotifyRequest {
  uids?: readonly string[];
  channel: "m" | "e";
  device?: Device;
  devices?: readonly Device[];
  packet: Notice;
  /** further packets, for the same */
  more?: Notice[];
}

/** `presence.connect`, one or a list: registers a session in the connect decision. */
export interface ConnectRequest {
  uid: string;
  clientId: string;
  /** none: of a guest or of nobody */
  credential: "token" | "password" | "none";
  /** unix ms */
  at: number;
  protocol?: number;
  address?: string;
  /** of the token, unix s */
  issuedAt?: number;
  expiresAt?: number;
  /** which of the account's passwords it was made under: absent, an external issuer's token */
  passwordSince?: number;
  /** the login that the token comes from */
  family?: string;
  /** names this one connection, where the broker does (the edge): its end is told by the same name */
  connection?: string;
  /** it has a tree of its own */
  tree?: ConnectingTree;
}

/** What the connect decision knows of a tree; `uid` of the request is the owner's: empty where there is none. */
export interface ConnectingTree {
  owner: TreeOwner;
  dialect?: string;
  username?: string;
  prefix?: string;
  /** its session is kept while it is away */
  persistent: boolean;
  /** it begins without what an earlier session had subscribed; absent: the broker tells it later */
  clean?: boolean;
  /** nothing of it is remembered: its client id is made up for this connection */
  assigned?: true;
  /** the token had run out: only a device that this user had with this dialect */
  expired?: true;
}

/** `dialect`: what a device with a tree speaks, as far as is known; `filters`: what its session had subscribed before. */
export type ConnectReply =
  | { ok: true; dialect?: string; filters?: string[] }
  | { ok: false; reason: "owned_by_another" | "blocked" | "unknown_device" };

/** Of a list, in order; `error`: of that one alone. */
export type ConnectReplies = (ConnectReply | { error: WireError })[];

/** `presence.session`: what the broker tells of a session. */
export interface SessionEvent {
  /** `misplaced`: a device with a tree is connected outside of it, as the broker puts no mountpoint before its topics */
  event: "connected" | "offline" | "gone" | "expired" | "misplaced";
  clientId: string;
  /** unix ms */
  at: number;
  /** the connection it is about, where the broker names it: another one's session is not ended by it */
  connection?: string;
  /** whose it is, where the broker tells: a uid, or the user of a tree (`treeUser`) */
  user?: string;
  /** whether its connection has a tree; absent: nobody says */
  tree?: boolean;
  /** of "connected": whether the broker had a session of the device; absent: it does not tell */
  present?: boolean;
  /** of "connected": whether its session outlives the connection, where the broker tells it only now */
  persistent?: boolean;
}

/** `presence.connected`: is a connection of that client id known, another one than `connection` if that is named? */
export interface ConnectedRequest {
  clientId: string;
  connection?: string;
}

export interface ConnectedReply {
  connected: boolean;
}

/** `presence.expiry` (event): until when the credential of a device that was let in is good. */
export interface CredentialExpiry {
  clientId: string;
  /** unix s; null: for ever */
  expiresAt: number | null;
}

/**
 * `presence.state` → {}: what a device says of itself; `login`: what its login said, before it was ever connected. `at`
 * (unix ms) rises with each one that the router `by` took: of two of one device the later stays, whoever hears them when.
 */
export type DeviceState = StatePacket & { uid: string; clientId: string; at?: number; by?: string; login?: true };

/** `users.verify` → PasswordReply, or the error `rate_limited` when too many wait for their turn */
export interface PasswordRequest {
  username: string;
  password: string;
  /** of the device: those that wait share the hashing by it */
  address?: string;
  /** how long it may wait for its turn, about: later nobody hears the answer */
  waitMs?: number;
}

/**
 * When ok, `uid`: whose password it is, as the user name may be an alias; `passwordSince`: since when the account has it, for
 * `users.unchanged` → {ok}
 */
export interface PasswordReply {
  ok: boolean;
  uid?: string;
  passwordSince?: number;
}

export interface UnchangedRequest {
  username: string;
  passwordSince: number;
}

/**
 * A change of password. `since`: about when (unix ms), and later than any change before it; 0 is an account's first
 * password. `keep`: the login (a family of refresh tokens) that made the change and lives on.
 */
export interface PasswordChange {
  since: number;
  keep?: string;
}

/**
 * `tokens.revoked`, `tokens.revocations`: tokens of the device issued before `before` (unix s) are refused until `until`.
 * With `password`: those made under an earlier password, and `before` counts only where that is not known (`isRevokedBy`).
 */
export interface Revocation {
  uid: string;
  /** absent: every device of the user */
  clientId?: string;
  before: number;
  until: number;
  password?: PasswordChange;
}

/** `history.erase.{holder}`: one step of erasing what `uid` sent in a conversation, from behind `after` on. */
export interface EraseRequest {
  conv: string;
  uid: string;
  after: number;
}

/** `seqs`: messages that hold nothing any more. `next`: the `after` of the next step; null: nothing of `uid` is left there. */
export interface EraseReply {
  seqs: number[];
  next: number | null;
}

/** `history.user`. `after`: `next` of the answer before. */
export interface EraseUserRequest {
  uid: string;
  after?: number;
}

/** `next`: there is more to look at; null: it is done. */
export interface EraseUserReply {
  next: number | null;
}

/** `compact.{service}`. `run`: of the answer before. */
export interface CompactRequest {
  run?: string;
}

/** `run`: it is still under way, ask again with this; absent: it is done. */
export interface CompactReply {
  run?: string;
}

/** `history.conversations`: some conversations of which history keeps something for this user; none: there are no more. */
export interface ConversationsReply {
  convs: string[];
}

/** JetStream `stored.{q}.{kind}`: references to entries, dense in `pos`, without bodies. */
export interface StoredReference {
  pos: number;
  conv: string;
  seq: number;
  from: string;
  type: string;
  ts: number;
  origin?: string;
  /** it goes on to other rooms */
  onward?: true;
}

export interface StoredReferences {
  q: number;
  entries: StoredReference[];
}

/**
 * `backup.{service}`: copies its store into `folder`, an empty one within `backup`; progress is told on `progress`.
 * `backup` holds a file `backup.json` with this `id`: by it the service knows that both see the same folder.
 */
export interface BackupRequest {
  backup: string;
  id: string;
  folder: string;
  progress: string;
}

/** `refused`: why this store cannot be copied here. `from`, `to`: each partition's last `pos` before and after the copying. */
export type BackupReply = { refused: string } | { from: number[]; to: number[] };

/** Pages of the file that is being copied. */
export interface BackupProgress {
  done: number;
  of: number;
}

export type { PresenceNotice };
