// The NATS subjects between services; what each carries stands in services.ts, append.ts and push.ts.
import type { PushProvider } from "./push.ts";

/** Request to the service that owns `method` (queue group = owner): `rpc.{method}`. */
export function methodSubject(method: string): string {
  return `rpc.${method}`;
}

/** Requests to the one history replica that holds a conversation partition; `doors` to each that holds any. */
export function historySubject(
  verb: "append" | "members" | "receipt" | "receipts" | "change" | "doors" | "erase",
  holder: string,
): string {
  return `history.${verb}.${holder}`;
}

/** Request to the one process that has a service's store open: copy it, while it is used (BackupRequest). */
export function backupSubject(service: string): string {
  return `backup.${service}`;
}

/** Request to a service: what was erased in its store before is taken off the disk (CompactRequest → CompactReply). */
export function compactSubject(service: string): string {
  return `compact.${service}`;
}

/** Announces that the members of a conversation of partition `q` changed: `members.{q}`. */
export function membersSubject(q: number): string {
  return `members.${q}`;
}

/** Every membership announcement. */
export const allMembersSubject = "members.*";

/** `origin` marks batches with messages that no MQTT packet carried; `onward` has those again that go on to other rooms. */
const storedKinds = ["mqtt", "origin", "onward"] as const;
export type StoredKind = (typeof storedKinds)[number];

/** What goes on to other rooms is followed in so many lanes, in each one message at a time: that order is a partition's. */
export const onwardLanes = 8;

/** JetStream subject of the references to stored messages of partition `q`. */
export function storedSubject(q: number, kind: StoredKind): string {
  return kind === "onward" ? `stored.${q}.${kind}.${q % onwardLanes}` : `stored.${q}.${kind}`;
}

/** What of STORED goes on to other rooms, of one lane. */
export function onwardFilter(lane: number): string {
  return `stored.*.onward.${lane}`;
}

/** `q` and kind of a stored subject, or undefined. */
export function parseStoredSubject(subject: string): { q: number; kind: StoredKind } | undefined {
  const [stored, q = "", last] = subject.split(".");
  const kind = storedKinds.find((one) => one === last);
  if (stored !== "stored" || !/^\d{1,3}$/.test(q) || kind === undefined) return undefined;
  return { q: Number(q), kind };
}

/** JetStream: stream names and what they hold. */
export const streams = {
  stored: {
    name: "STORED",
    subjects: ["stored.>"],
    originFilter: "stored.*.origin",
  },
  dead: { name: "DEAD", subjects: ["dead.>"] },
  /** work for push */
  push: { name: "PUSH", subjects: ["push.queue.*"] },
} as const;

/** JetStream subject of the notifications that wait for one provider. */
export function pushSubject(provider: PushProvider): string {
  return `push.queue.${provider}`;
}

/** Between the replicas that share a consumer of `streams.stored`: a question (empty), and each one's StoredProgress. */
export function progressSubject(durable: string): string {
  return `progress.${durable}`;
}

/** Event to the router that holds ingest partition `p`: a packet for devices with trees (TreeDelivery): `deliver.{p}`. */
export function deliverSubject(p: string): string {
  return `deliver.${p}`;
}

/** The dead letter of one part: `dead.{part}`. */
export function deadSubject(part: string): string {
  return `dead.${part}`;
}

/** Plain request and event subjects. Queue groups carry the service's name. */
export const subjects = {
  /** history: rooms as a user may see them (RoomsRequest → RoomsReply) */
  rooms: "history.rooms",
  /** history: may a user have this attachment? (AttachmentRequest → {may}) */
  attachmentAllowed: "history.attachment",
  /** history: which of these users may have this attachment (AttachmentForRequest → AttachmentForReply) */
  attachmentFor: "history.attachmentFor",
  /** history: which of these attachments were sent (AttachmentsRequest → AttachmentsSent) */
  attachmentsSent: "history.attachments",
  /** history: attachments that no message refers to any more (FreedRequest → FreedReply) */
  attachmentsFreed: "history.freed",
  /** history: users who have an attachment from an owner who is being erased, and sent it on (HeirsRequest → HeirsReply) */
  attachmentHeirs: "history.heirs",
  /** history: of which conversations something of a user is kept ({uid} → ConversationsReply) */
  conversationsOf: "history.conversations",
  /** history: what a user keeps for itself, its doors and dead letters are removed (EraseUserRequest → EraseUserReply) */
  eraseUser: "history.user",
  /** presence: the devices of a user who is erased are disconnected and forgotten ({uid} → {}) */
  eraseDevices: "presence.erase",
  /** history: stored entries for whoever follows STORED (StoredEntriesRequest → frame, see stored.ts) */
  storedEntries: "history.entries",
  /** history: stored entries by conversation and seq (EntriesOfRequest → frame, see stored.ts) */
  entriesOf: "history.entriesOf",
  /** history: the copies of messages in other rooms (CounterpartsRequest → CounterpartsReply) */
  counterparts: "history.counterparts",
  /** history: what a user may read (ReadableRequest → ReadablePage) */
  readable: "history.readable",
  /** history: messages by their places, those that the user may read (MessagesRequest, see search.ts) */
  messagesAt: "history.messages",
  /** history: what a notification about messages may say (PushStateRequest → PushStateReply, see push.ts) */
  pushState: "history.push",
  /** history: users have read on (event, ReadOn) */
  readOn: "history.read",
  /** history: the log of a partition, page by page (LogRequest → frame) */
  log: "history.log",
  /** history: where the partitions end → LogEnds */
  logEnds: "history.ends",
  /** search: messages that were erased (RemoveRequest → {}) */
  removeFromSearch: "search.remove",
  /** search: build the index anew, or how far that is (RebuildRequest → RebuildProgress) */
  rebuildSearch: "search.rebuild",
  /** router: publish a packet to users' or a device's topics */
  notify: "notify",
  /** presence: may this device connect? asked inside the connect decision */
  connectDevice: "presence.connect",
  /** presence: devices' sessions began or ended, as the broker tells it (event or request, a SessionEvent; event, a list of them) */
  sessionEvent: "presence.session",
  /** presence: is this device connected anywhere? (request) */
  deviceConnected: "presence.connected",
  /** auth-webhook: a device was let in, and until when (event, for every other auth-webhook) */
  credentialExpiry: "presence.expiry",
  /** presence: who may know of a user's presence changed (event, ContactsChanged) */
  contactsChanged: "presence.contacts",
  /** router: a device with a tree of its own came, changed its filters or went (event, TreeEvent, see trees.ts) */
  treeEvent: "trees.event",
  /** router: what was told of devices with trees, or for them, may not have come (event by a router or presence, no payload) */
  treesMissed: "trees.missed",
  /** presence: the connected devices with trees (TreesRequest → TreesReply) */
  trees: "trees.list",
  /** presence: what such a device subscribed (FiltersChange → {}) */
  treeFilters: "trees.filters",
  /** presence: which dialect it speaks (DialectLearned → {}) */
  treeDialect: "trees.learned",
  /** presence: how far such devices have their conversations (CursorsRequest → CursorsReply) */
  treeCursors: "trees.cursors",
  /** presence: a device changed its state (active, show, status) */
  deviceState: "presence.state",
  /** api: check an account's password */
  verifyPassword: "users.verify",
  /** api: is a password that was right still the account's? */
  passwordUnchanged: "users.unchanged",
  /** api: does this user exist? */
  userExists: "users.exists",
  /** api: makes the room of a topic of guests (OpenRoomRequest → {}) */
  openRoom: "rooms.open",
  /** api: may users send attachments? (SendableRequest → SendableReply) */
  attachmentsSendable: "attachments.sendable",
  /** api: the accounts of users' logins (AccountsRequest → AccountsReply) */
  accountsOf: "users.accounts",
  /** presence: the accounts of a login changed ({uids}, event) */
  accountsChanged: "presence.accounts",
  /** api: who is told of a user's presence ({uid} → ContactsReply) */
  contacts: "people.contacts",
  /** api: what users are called, as another knows them (NamesRequest → NamesReply) */
  names: "people.names",
  /** api: what users are called and how another has them, for notifications (PushPeopleRequest → PushPeopleReply) */
  pushPeople: "people.push",
  /** api: addresses of thumbnails that need no token (SignedThumbnailsRequest → SignedThumbnailsReply) */
  signedThumbnails: "attachments.signed",
  /** presence: with what a device's connection was made ({clientId} → ConnectionCredential) */
  connectionCredential: "presence.credential",
  /** presence: which devices of users are connected (PushPresenceRequest → PushPresenceReply) */
  pushPresence: "presence.push",
  /** push: tell a user's devices of what no message tells (PushNoticeRequest → {}) */
  pushNotice: "push.notice",
  /** push, among its replicas: what is registered for these users, or set by them, has changed (event, PushChanged) */
  pushChanged: "push.changed",
  /** push: a user is erased (PushEraseRequest → {}) */
  erasePush: "push.erase",
  /** push: one notification to each of a user's devices, for an operator ({uid} → PushTestReply) */
  testPush: "push.test",
  /** push: dead letters into their queue again (PushReplayRequest → PushReplayReply) */
  replayPush: "push.replay",
  /** api: what a user may know of another's presence (SeenRequest → SeenReply) */
  seen: "people.seen",
  /** api: makes a user of an external issuer, if it is not there yet → {ok} */
  ensureUser: "users.ensure",
  /** api: every token revocation that still matters (request), loaded by auth-webhook before it is ready */
  revocations: "tokens.revocations",
  /** api: one more revocation (event) */
  revoked: "tokens.revoked",
  /** api: the devices that a user is logged in as, connected or not ({uid} → LoginsReply) */
  logins: "tokens.logins",
  /** api: revoke all tokens of a device (request) */
  revokeDevice: "tokens.revoke",
  /** api: a new token for a device that was let in ({uid, clientId} → RenewedToken) */
  renewToken: "tokens.renew",
} as const;
