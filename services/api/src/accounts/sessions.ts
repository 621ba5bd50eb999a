// Sessions: login, refresh with rotation, logout (DESIGN §6).
import { createHash, randomBytes } from "node:crypto";
import {
  AppError,
  deviceTopics,
  login,
  logout,
  type ParamsOf,
  type ResultOf,
  refresh,
  usersLogin,
} from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import type { Logger } from "@parley/runtime";
import { type Bound, bind, type Call } from "../call.ts";
import { randomName } from "../random-name.ts";
import type { ApiStore } from "../store.ts";
import { type LoginLimits, tooManyFailures } from "./login-limits.ts";
import type { Passwords } from "./passwords.ts";
import type { Revoke } from "./revoke.ts";
import { signToken, tokenLifeMs } from "./tokens.ts";

const refreshLifeMs = 30 * 24 * 3_600_000;

type Session = ResultOf<typeof login>;

export interface SessionParts {
  store: ApiStore;
  passwords: Passwords;
  limits: LoginLimits;
  revoke: Revoke;
  signingKey: Uint8Array;
  log: Logger;
  /** where devices find MQTT over TCP */
  mqtt: { host: string; port: number };
}

export function sessionMethods(parts: SessionParts): Bound[] {
  return [
    bind(login, (params, call) => logIn(parts, params, call)),
    bind(refresh, ({ refreshToken }, call) => rotate(parts, refreshToken, call)),
    bind(logout, async (_params, { caller }) => {
      await parts.revoke.device(caller.uid, caller.clientId ?? caller.uid);
      return {};
    }),
    bind(usersLogin, async ({ uid, device }, call) => {
      if (!(await parts.store.users.get(uid))) return new AppError("not_found", `there is no user ${uid}`);
      return openSession(parts, { uid, clientId: clientIdOf(uid, device) }, call);
    }),
  ];
}

async function logIn(
  parts: SessionParts,
  { username, password, device }: ParamsOf<typeof login>,
  call: Call,
): Promise<Session | AppError> {
  const { limits, passwords, store } = parts;
  if (await limits.exceeded(username, call.address)) return tooManyFailures();
  const user = await store.users.get(username);
  const right = await passwords.verify(user?.doc.passwordHash, password);
  // Again: of many guesses at once, those after the tenth learn nothing.
  if (await limits.exceeded(username, call.address)) return tooManyFailures();
  if (!right) {
    await limits.failed(username, call.address);
    return new AppError("unauthenticated", "wrong user name or password");
  }
  return openSession(parts, { uid: username, clientId: clientIdOf(username, device) }, call);
}

async function rotate(parts: SessionParts, refreshToken: string, call: Call): Promise<Session | AppError> {
  const { refreshTokens } = parts.store;
  const key = digest(refreshToken);
  const used = await refreshTokens.get(key);
  const refusal = new AppError("unauthenticated", "the refresh token is unknown, used or has run out; log in again");
  if (!used || used.doc.expiresAt <= Date.now()) return refusal;
  const { uid, clientId } = used.doc;
  if (used.doc.usedAt === null) {
    // The new one is kept before the old one is used up: whoever revokes the device meanwhile finds both.
    const session = await openSession(parts, { uid, clientId }, call);
    if (await refreshTokens.update(key, { ...used.doc, usedAt: Date.now() }, used.version)) return session;
  }
  // Used twice: one of the two users stole it.
  parts.log.warn({ event: "refresh_token_reused", uid, clientId });
  await parts.revoke.device(uid, clientId);
  return refusal;
}

async function openSession(
  { store, revoke, signingKey, mqtt }: SessionParts,
  { uid, clientId }: { uid: string; clientId: string },
  call: Call,
): Promise<Session> {
  const issuedAt = await revoke.issueTime(uid, clientId);
  const expiresAt = Math.floor((issuedAt + tokenLifeMs) / 1000) * 1000;
  const token = await signToken(signingKey, { uid, clientId, issuedAt, expiresAt });
  const refreshToken = randomBytes(32).toString("base64url");
  const doc = { uid, clientId, issuedAt, expiresAt: issuedAt + refreshLifeMs, usedAt: null };
  await store.refreshTokens.insert(digest(refreshToken), doc);
  return {
    uid,
    token,
    refreshToken,
    expiresAt,
    clientId,
    mqtt: { ...mqtt, ws: call.ws, username: uid, password: token },
    topics: deviceTopics(ingestPartition(clientId), uid, clientId),
  };
}

function clientIdOf(uid: string, device: string | undefined): string {
  return `${uid}:${device ?? randomName(6)}`;
}

function digest(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
