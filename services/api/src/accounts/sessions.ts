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
import type { Versioned } from "@parley/store";
import { type Bound, bind, type Call } from "../call.ts";
import { findUser, knownUser } from "../known-users.ts";
import { randomName } from "../random-name.ts";
import type { ApiStore, UserDoc } from "../store.ts";
import { loginOf } from "./logins/login.ts";
import type { LoginLimits } from "./logins/login-limits.ts";
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
      const opening = { uid, device, since: (await loginOf(parts.store, user.doc)).since };
      const { session, end } = await openSession(parts, opening, call);
      // Disabled meanwhile: the revocation may be from before this session was.
      if (await knownUser(parts.store, uid)) return session;
      await end();
      return unknown;
    }),
  ];
}

async function logIn(
  parts: SessionParts,
  { username, password, account, device, kind }: ParamsOf<typeof login>,
  call: Call,
): Promise<Session | AppError> {
  const { limits, passwords, store } = parts;
  const named = await findUser(store, username);
  const passwordHash = named && (await loginOf(store, named.doc)).passwordHash;
  const right = await limits.guess(username, call.address, () =>
    passwords.verify(passwordHash, password, call.address),
  );
  if (right instanceof AppError) return right;
  if (!right || !named) return new AppError("unauthenticated", "wrong user name or password");
  const user = account === undefined ? named : await sibling(store, named.doc, account);
  if (!user) return new AppError("not_found", `the login has no account ${account}`);
  const known = await loginOf(store, user.doc);
  if (known.passwordHash !== passwordHash) return passwordChanged();
  const { since } = known;
  const { session, end } = await openSession(parts, { uid: user.doc.uid, device, since }, call);
  // The session is of the password that was right: if that was changed meanwhile it is no good, and better not answered.
  const now = await knownUser(store, user.doc.uid);
  if (now && (await loginOf(store, now.doc)).since === since) {
    if (kind !== undefined) tellKind(parts, { uid: session.uid, clientId: session.clientId, kind, login: true });
    return session;
  }
  await end();
  return passwordChanged();
}

/** Another account of the login of `user`, or itself. */
async function sibling(store: ApiStore, user: UserDoc, name: string): Promise<Versioned<UserDoc> | undefined> {
  const found = await findUser(store, name);
  const isOfLogin = found?.doc.uid === user.uid || (user.login !== undefined && found?.doc.login === user.login);
  return isOfLogin ? found : undefined;
}

function passwordChanged(): AppError {
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
  { uid, device, since }: { uid: string; device: string | undefined; since: number },
  call: Call,
): Promise<{ session: Session; end(): Promise<void> }> {
  const clientId = clientIdOf(uid, device);
  const issuedAt = await parts.revoke.issueTime(uid, clientId);
  const begun = { uid, clientId, issuedAt, passwordSince: since };
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
