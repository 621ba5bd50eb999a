// Who may say what over NATS: of each service what it answers, asks, hears and tells. deploy/nats/users.conf is written from this.
import * as protocol from "@parley/protocol";
import {
  allMembersSubject,
  backupSubject,
  compactSubject,
  deadSubject,
  deliverSubject,
  historySubject,
  methodSubject,
  onwardLanes,
  progressSubject,
  streams,
  subjects,
} from "@parley/protocol";

/** What one user of NATS may do with which subjects. Whoever asks has the answers in inboxes of its own. */
export interface Permissions {
  /** requests that it answers */
  answers?: readonly string[];
  /** requests of others that it asks */
  asks?: readonly string[];
  /** events that it follows */
  hears?: readonly string[];
  /** events that it tells */
  tells?: readonly string[];
}

type Service = "api" | "auth-webhook" | "history" | "presence" | "push" | "router" | "search";

const each = "*";
const all = ">";

const { stored, dead, push } = streams;
const readsStored = [subjects.storedEntries, subjects.entriesOf];
/** JetStream asks for itself before it is used. */
const jetstreamInfo = "$JS.API.INFO";

function methodsOf(owner: string): string[] {
  return Object.values(protocol)
    .filter((one) => typeof one === "object" && one !== null && "checkParams" in one)
    .map((one) => one as unknown as { name: string; owner: string })
    .filter((one) => one.owner === owner)
    .map(({ name }) => methodSubject(name))
    .sort();
}

/** What follows a durable consumer of a stream by itself: makes it, reads from it, acknowledges. `*`: every one. */
function consumer(stream: string, durable: string): string[] {
  const requests = [
    ["CONSUMER.CREATE", all],
    ["CONSUMER.DURABLE.CREATE"],
    ["CONSUMER.INFO"],
    ["CONSUMER.MSG.NEXT"],
  ] as const;
  return [
    ...requests.flatMap(([verb, more]) => {
      const subject = `$JS.API.${verb}.${stream}.${durable}`;
      return more === undefined ? [subject] : [subject, `${subject}.${more}`];
    }),
    `$JS.ACK.${stream}.${durable}.${all}`,
  ];
}

/** One that is there for one reading, whatever the client calls it. */
function passingConsumer(stream: string): string[] {
  return [...consumer(stream, each), `$JS.API.CONSUMER.CREATE.${stream}`, `$JS.API.CONSUMER.DELETE.${stream}.${each}`];
}

function stream(name: string, ...verbs: ("INFO" | "CREATE" | "UPDATE" | "MSG.GET" | "MSG.DELETE")[]): string[] {
  return verbs.map((verb) => `$JS.API.STREAM.${verb}.${name}`);
}

/** A follower of STORED with its replicas: it reads the entries from history, and what fails for good goes to DEAD. */
function followsStored(...durables: string[]): { asks: string[]; tells: string[]; hears: string[] } {
  return {
    asks: [
      ...readsStored,
      jetstreamInfo,
      ...stream(stored.name, "INFO"),
      ...durables.flatMap((durable) => consumer(stored.name, durable)),
      ...durables.map(deadSubject),
    ],
    tells: durables.map(progressSubject),
    hears: durables.map(progressSubject),
  };
}

const historyVerbs = ["append", "members", "receipt", "receipts", "change", "doors", "erase"] as const;
const router = followsStored("router", ...Array.from({ length: onwardLanes }, (_, lane) => `onward-${lane}`));
const search = followsStored("search");
const pushes = followsStored("push");

/** The services, and `operator`: `parley` as an administrator uses it. */
export const permissions: Record<Service | "operator", Permissions> = {
  api: {
    answers: [
      ...methodsOf("api"),
      ...[subjects.verifyPassword, subjects.passwordUnchanged, subjects.userExists, subjects.accountsOf],
      ...[subjects.ensureUser, subjects.openRoom, subjects.attachmentsSendable, subjects.signedThumbnails],
      ...[subjects.contacts, subjects.names, subjects.pushPeople, subjects.seen, subjects.revocations],
      ...[subjects.logins, subjects.revokeDevice, subjects.renewToken],
      backupSubject("api"),
      compactSubject("api"),
    ],
    asks: [
      methodSubject(all),
      ...historyVerbs.map((verb) => historySubject(verb, each)),
      ...[subjects.rooms, subjects.attachmentAllowed, subjects.attachmentsSent, subjects.attachmentsFreed],
      ...[subjects.attachmentHeirs, subjects.attachmentFor, subjects.conversationsOf, subjects.eraseUser],
      ...[
        subjects.eraseDevices,
        subjects.removeFromSearch,
        subjects.contactsChanged,
        subjects.erasePush,
        subjects.pushNotice,
      ],
      compactSubject(each),
    ],
    hears: [subjects.revoked],
    tells: [subjects.notify, subjects.deviceState, subjects.revoked, subjects.accountsChanged],
  },
  "auth-webhook": {
    asks: [
      ...[subjects.connectDevice, subjects.deviceConnected, subjects.sessionEvent, subjects.treeFilters],
      ...[subjects.userExists, subjects.ensureUser, subjects.logins, subjects.revocations],
      ...[subjects.verifyPassword, subjects.passwordUnchanged],
    ],
    hears: [subjects.credentialExpiry, subjects.revoked],
    tells: [subjects.credentialExpiry],
  },
  history: {
    answers: [
      ...methodsOf("history"),
      ...historyVerbs.map((verb) => historySubject(verb, each)),
      ...[subjects.rooms, subjects.attachmentAllowed, subjects.attachmentsSent, subjects.attachmentsFreed],
      ...[subjects.attachmentHeirs, subjects.attachmentFor, subjects.conversationsOf, subjects.eraseUser],
      ...readsStored,
      ...[subjects.counterparts, subjects.readable, subjects.messagesAt, subjects.log, subjects.logEnds],
      subjects.pushState,
      backupSubject("history"),
      compactSubject("history"),
    ],
    asks: [
      ...[subjects.userExists, subjects.names, subjects.attachmentsSendable, subjects.removeFromSearch],
      ...stored.subjects,
      jetstreamInfo,
      ...stream(stored.name, "INFO", "CREATE", "MSG.GET"),
      ...stream(dead.name, "INFO", "CREATE", "MSG.GET", "MSG.DELETE"),
    ],
    tells: [subjects.notify, subjects.readOn, allMembersSubject],
  },
  presence: {
    answers: [
      ...methodsOf("presence"),
      ...[subjects.connectDevice, subjects.deviceConnected, subjects.sessionEvent, subjects.deviceState],
      ...[subjects.contactsChanged, subjects.eraseDevices, subjects.pushPresence, subjects.connectionCredential],
      ...[subjects.trees, subjects.treeFilters, subjects.treeDialect, subjects.treeCursors],
      backupSubject("presence"),
      compactSubject("presence"),
    ],
    asks: [
      ...[subjects.userExists, subjects.accountsOf, subjects.contacts, subjects.seen],
      ...[subjects.logins, subjects.revokeDevice, subjects.revocations],
    ],
    hears: [subjects.revoked, subjects.accountsChanged],
    tells: [subjects.notify, subjects.treeEvent, subjects.treesMissed],
  },
  push: {
    answers: [
      ...methodsOf("push"),
      ...[subjects.pushNotice, subjects.erasePush, subjects.testPush, subjects.replayPush],
      backupSubject("push"),
      compactSubject("push"),
    ],
    asks: [
      ...pushes.asks,
      historySubject("members", each),
      ...[subjects.pushState, subjects.pushPeople, subjects.signedThumbnails, subjects.pushPresence],
      ...[subjects.logins, subjects.userExists, subjects.passwordUnchanged, subjects.connectionCredential],
      subjects.revocations,
      ...push.subjects,
      ...stream(push.name, "INFO", "CREATE", "UPDATE", "MSG.GET", "MSG.DELETE"),
      ...consumer(push.name, each),
      // Jobs that nothing could be done with go to DEAD, a subject a provider, and are read from there when they are replayed.
      deadSubject(`push.${each}`),
      ...stream(dead.name, "INFO", "MSG.GET", "MSG.DELETE"),
      ...passingConsumer(dead.name),
    ],
    hears: [...pushes.hears, subjects.readOn, subjects.revoked, subjects.pushChanged, allMembersSubject],
    tells: [...pushes.tells, subjects.notify, subjects.pushChanged],
  },
  router: {
    asks: [
      ...router.asks,
      methodSubject(all),
      ...(["append", "members", "receipt", "change"] as const).map((verb) => historySubject(verb, each)),
      ...[subjects.counterparts, subjects.userExists, subjects.openRoom, subjects.renewToken],
      ...[subjects.trees, subjects.treeDialect, subjects.treeCursors, subjects.deviceState],
    ],
    hears: [
      ...router.hears,
      ...[subjects.notify, allMembersSubject, deliverSubject(each), subjects.treeEvent, subjects.treesMissed],
    ],
    tells: [...router.tells, deliverSubject(each), subjects.treesMissed],
  },
  search: {
    answers: [...methodsOf("search"), subjects.removeFromSearch, subjects.rebuildSearch, compactSubject("search")],
    asks: [...search.asks, subjects.readable, subjects.messagesAt, subjects.log, subjects.logEnds],
    hears: search.hears,
    tells: search.tells,
  },
  operator: { asks: [subjects.rebuildSearch, subjects.testPush, subjects.replayPush, backupSubject(each)] },
};
