// What other services ask api over NATS: passwords, users, revocations, and the methods that came by MQTT.
import {
  AppError,
  isUid,
  type PasswordRequest,
  type SeenRequest,
  subjects,
  type UnchangedRequest,
} from "@parley/protocol";
import {
  type Answering,
  answerJson,
  type Logger,
  type MethodHandler,
  type NatsConnection,
  type Once,
  serveMethods,
} from "@parley/runtime";
import { loggedIn } from "./accounts/logged-in.ts";
import { loginOf } from "./accounts/logins/login.ts";
import type { Passwords } from "./accounts/passwords.ts";
import type { Revoke } from "./accounts/revoke.ts";
import { ensureUser } from "./accounts/users.ts";
import type { Bound } from "./call.ts";
import { knownUser } from "./known-users.ts";
import { contactsOfUser, seenByUser } from "./people/known.ts";
import type { ApiStore } from "./store.ts";

const queue = "api";
const pageRevocations = 5_000;

export interface AnswerParts {
  nats: NatsConnection;
  log: Logger;
  store: ApiStore;
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
      const user = isUid(name) ? await knownUser(store, name) : undefined;
      const known = user && (await loginOf(store, user.doc));
      const ok = await passwords.verify(known?.passwordHash, textOf(password), String(address), waitMs);
      return { ok, ...(ok && known ? { passwordSince: known.since } : {}) };
    }),
    respond<UnchangedRequest>(subjects.passwordUnchanged, async ({ username, passwordSince }) => {
      const name = textOf(username);
      const user = isUid(name) ? await knownUser(store, name) : undefined;
      return { ok: user !== undefined && (await loginOf(store, user.doc)).since === passwordSince };
    }),
    respond<{ uid: string }>(subjects.userExists, async ({ uid }) => ({
      exists: isUid(textOf(uid)) && (await knownUser(store, textOf(uid))) !== undefined,
    })),
    respond<{ uid: string }>(subjects.contacts, ({ uid }) => contactsOfUser(store, textOf(uid))),
    respond<SeenRequest>(subjects.seen, async ({ uid, by }) => {
      const seen = await seenByUser(store, { uid: textOf(uid), by: textOf(by) });
      if (seen instanceof AppError) throw seen;
      return seen;
    }),
    respond<{ uid: string }>(subjects.ensureUser, async ({ uid }) => ({
      ok: isUid(textOf(uid)) && (await ensureUser(store, textOf(uid))),
    })),
    respond<{ after: string }>(subjects.revocations, ({ after = "" }) => revoke.list(after, pageRevocations)),
    respond<{ uid: string }>(subjects.logins, ({ uid }) => loggedIn(store, textOf(uid))),
    respond<{ uid: string; clientId: string }>(subjects.revokeDevice, async ({ uid, clientId }) => {
      await revoke.device(textOf(uid), textOf(clientId));
      return {};
    }),
    serveBoundMethods(parts),
  ];
  return {
    async close() {
      await Promise.all(served.map((one) => one.close()));
    },
  };
}

function serveBoundMethods({ nats, log, methods, once, ws }: AnswerParts) {
  const handlers = methods
    .filter(({ method }) => method.mqtt)
    .map(({ method, work }): MethodHandler => {
      return { method, work: (params, caller, { operation }) => work(params, { caller, operation, address: "", ws }) };
    });
  return serveMethods(nats, { queue, handlers, once, log });
}

function textOf(value: unknown): string {
  if (typeof value === "string" && value !== "") return value;
  throw new AppError("invalid_packet", "the request lacks a field");
}
