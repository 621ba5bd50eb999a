// Sessions: login, refresh with rotation, logout.
import {
  AppError,
  type DeviceState,
  deviceTopics,
  login,
  logout,
  type ParamsOf,
  type ResultOf,
  refresh,
  subjects,
  usersLogin,
} from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import { type Logger, type NatsConnection, natsConnected } from "@parley/runtime";
import { type Bound, bind, type Call } from "../call.ts";
import { findUser, knownUser } from "../known-users.ts";
import { randomName } from "../random-name.ts";
import { passwordSinceOf, type UserDoc } from "../store.ts";
import type { LoginLimits } from "./login-limits.ts";
import type { Passwords } from "./passwords.ts";
import { beginFamily, type RefreshParts, type Successor, succeed } from "./refresh-tokens.ts";
import { signToken, tokenLifeMs } from "./tokens.ts";

type Session = ResultOf<typeof login>;

export interface SessionParts extends RefreshParts {
  passwords: Passwords;
  limits: LoginLimits;
  nats: NatsConnection;
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
      const user = await knownUser(parts.store, uid);
      const unknown = new AppError("not_found", `there is no user ${uid}`);
      if (!user) return unknown;
      const { session, end } = await openSession(parts, user.doc, device, call);
      // Disabled meanwhile: the revocation may be from before this session was.
      if (await knownUser(parts.store, uid)) return session;
      await end();
      return unknown;
    }),
  ];
}

async function logIn(
  parts: SessionParts,
  { username, password, device, kind }: ParamsOf<typeof login>,
  call: Call,
): Promise<Session | AppError> {
  const { limits, passwords, store } = parts;
  const user = await findUser(store, username);
  const right = await limits.guess(username, call.address, () =>
    passwords.verify(user?.doc.passwordHash, password, call.address),
  );
  if (right instanceof AppError) return right;
  if (!right || !user) return new AppError("unauthenticated", "wrong user name or password");
  const { session, end } = await openSession(parts, user.doc, device, call);
  // The session is of the password that was right: if that was changed meanwhile it is no good, and better not answered.
  const now = (await knownUser(store, user.doc.uid))?.doc;
  if (now && passwordSinceOf(now) === passwordSinceOf(user.doc)) {
    if (kind !== undefined) tellKind(parts, { uid: session.uid, clientId: session.clientId, kind, login: true });
    return session;
  }
  await end();
  return new AppError("unauthenticated", "the password was changed just now; log in again");
}

/** Best effort: presence lists it with the device. */
function tellKind({ nats }: SessionParts, state: DeviceState): void {
  if (natsConnected(nats)) nats.publish(subjects.deviceState, JSON.stringify(state));
}

async function rotate(parts: SessionParts, token: string, call: Call): Promise<Session | AppError> {
  const next = await succeed(parts, token);
  if (next instanceof AppError) return next;
  if (!("reused" in next)) return sessionOf(parts, next, call);
  const { uid, clientId } = next.reused;
  parts.log.warn({ event: "refresh_token_reused", uid, clientId });
  await parts.revoke.device(uid, clientId);
  return new AppError("unauthenticated", "the refresh token was used before; the device is logged out");
}

async function openSession(
  parts: SessionParts,
  user: UserDoc,
  device: string | undefined,
  call: Call,
): Promise<{ session: Session; end(): Promise<void> }> {
  const { uid } = user;
  const clientId = clientIdOf(uid, device);
  const issuedAt = await parts.revoke.issueTime(uid, clientId);
  const begun = { uid, clientId, issuedAt, passwordSince: passwordSinceOf(user) };
  const { first, end } = await beginFamily(parts.store, begun);
  return { session: await sessionOf(parts, first, call), end };
}

async function sessionOf(
  { signingKey, mqtt }: SessionParts,
  { refreshToken, ...made }: Successor,
  call: Call,
): Promise<Session> {
  const { uid, clientId } = made;
  const expiresAt = Math.floor((made.issuedAt + tokenLifeMs) / 1000) * 1000;
  const token = await signToken(signingKey, { ...made, expiresAt });
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
