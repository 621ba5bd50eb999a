// What other services ask api over NATS: passwords, users, revocations, and the methods that came by MQTT.
import {
  type AccountsRequest,
  AppError,
  type ExistsRequest,
  isUid,
  type NamesRequest,
  type OpenRoomRequest,
  type PasswordRequest,
  type SeenRequest,
  type SendableRequest,
  subjects,
  type UnchangedRequest,
} from "@parley/protocol";
import { type Answering, answerJson, type MethodHandler, type Once, type Pass, serveMethods } from "@parley/runtime";
import { loggedIn } from "./accounts/logged-in.ts";
import { accountsOfLogins, loginOf } from "./accounts/logins/login.ts";
import type { Passwords } from "./accounts/passwords.ts";
import { renewToken } from "./accounts/renew.ts";
import type { Revoke } from "./accounts/revoke.ts";
import { ensureUser } from "./accounts/users.ts";
import { answerPush, type PushParts } from "./answer-push.ts";
import type { Bound } from "./call.ts";
import { sendableFiles } from "./files/sendable.ts";
import type { History } from "./history.ts";
import { findUser, knownUser } from "./known-users.ts";
import { displayNames } from "./people/contacts.ts";
import { contactsOfUser, seenByUser } from "./people/known.ts";
import { unseenBy } from "./people/visible.ts";
import { openRoom } from "./rooms/open.ts";
import type { ApiStore } from "./store.ts";

const queue = "api";
const pageRevocations = 5_000;

export interface AnswerParts extends PushParts {
  store: ApiStore;
  history: History;
  pass: Pass;
  guestPrefixes: readonly string[];
  passwords: Passwords;
  revoke: Revoke;
  methods: readonly Bound[];
  once: Once;
  /** told to MQTT callers of methods that answer it */
  ws: string;
}

export function serveAnswers(parts: AnswerParts): Answering {
  const { nats, log, store, passwords, revoke } = parts;
  const respond = <Asked>(subject: string, work: (asked: Partial<Asked>) => Promise<object> | object) =>
    answerJson<Partial<Asked> | null>(nats, subject, queue, (asked) => work(asked ?? {}), log);
  const served = [
    respond<PasswordRequest>(subjects.verifyPassword, async ({ username, password, address = "", waitMs }) => {
      const name = textOf(username);
      const user = isUid(name) ? await findUser(store, name) : undefined;
      const known = user && (await loginOf(store, user.doc));
      const ok = await passwords.verify(known?.passwordHash, textOf(password), String(address), waitMs);
      return { ok, ...(ok && known ? { uid: user.doc.uid, passwordSince: known.since } : {}) };
    }),
    respond<UnchangedRequest>(subjects.passwordUnchanged, async ({ username, passwordSince }) => {
      const name = textOf(username);
      const user = isUid(name) ? await knownUser(store, name) : undefined;
      return { ok: user !== undefined && (await loginOf(store, user.doc)).since === passwordSince };
    }),
    respond<ExistsRequest>(subjects.userExists, async ({ uid, by, anyName }) => ({
      exists: anyName
        ? (await findUser(store, textOf(uid))) !== undefined
        : isUid(textOf(uid)) && (await exists(store, textOf(uid), by)),
    })),
    respond<OpenRoomRequest>(subjects.openRoom, async ({ id }) => {
      const opened = await openRoom(parts, textOf(id));
      if (opened instanceof AppError) throw opened;
      return opened;
    }),
    respond<SendableRequest>(subjects.attachmentsSendable, ({ asked = [] }) => sendableFiles(parts, asked)),
    respond<AccountsRequest>(subjects.accountsOf, ({ uids = [] }) => accountsOfLogins(store, uids)),
    respond<{ uid: string }>(subjects.contacts, ({ uid }) => contactsOfUser(store, textOf(uid))),
    respond<SeenRequest>(subjects.seen, async ({ uid, by }) => {
      const seen = await seenByUser(store, { uid: textOf(uid), by: textOf(by) });
      if (seen instanceof AppError) throw seen;
      return seen;
    }),
    respond<NamesRequest>(subjects.names, ({ by, uids }) => displayNames(store, textOf(by), uids)),
    respond<{ uid: string }>(subjects.ensureUser, async ({ uid }) => ({
      ok: isUid(textOf(uid)) && (await ensureUser(store, textOf(uid))),
    })),
    respond<{ after: string }>(subjects.revocations, ({ after = "" }) => revoke.list(after, pageRevocations)),
    respond<{ uid: string }>(subjects.logins, ({ uid }) => loggedIn(store, textOf(uid))),
    respond<{ uid: string; clientId: string }>(subjects.revokeDevice, async ({ uid, clientId }) => {
      await revoke.device(textOf(uid), textOf(clientId));
      return {};
    }),
    respond<{ uid: string; clientId: string }>(subjects.renewToken, ({ uid, clientId }) =>
      renewToken(parts, { uid: textOf(uid), clientId: textOf(clientId) }),
    ),
    ...answerPush(parts, queue),
    serveBoundMethods(parts),
  ];
  return {
    async close() {
      await Promise.all(served.map((one) => one.close()));
    },
  };
}

function serveBoundMethods({ nats, log, methods, once, ws }: AnswerParts) {
  // Which of them a native device may ask for its router knows; dialects ask for others too.
  const handlers = methods.map(({ method, work }): MethodHandler => {
    return { method, work: (params, caller, { operation }) => work(params, { caller, operation, address: "", ws }) };
  });
  return serveMethods(nats, { queue, handlers, once, log });
}

function textOf(value: unknown): string {
  if (typeof value === "string" && value !== "") return value;
  throw new AppError("invalid_packet", "the request lacks a field");
}

// With `by`: as far as that user may know.
async function exists(store: ApiStore, uid: string, by: string | undefined): Promise<boolean> {
  if (by === undefined) return (await knownUser(store, uid)) !== undefined;
  return (await unseenBy(store, textOf(by), [uid])).size === 0;
}
