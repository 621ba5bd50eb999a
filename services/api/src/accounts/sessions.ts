// Sessions: login, refresh with rotation, logout.
import {
  AppError,
  type DeviceState,
  deviceTopics,
  login,
  logout,
  noUser,
  type ParamsOf,
  type ResultOf,
  refresh,
  reservedClientId,
  subjects,
  usersLogin,
} from "@parley/protocol";
import { dialectOf, dialects } from "@parley/protocol/dialects";
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
      const unknown = noUser(uid);
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

async function logIn(parts: SessionParts, params: ParamsOf<typeof login>, call: Call): Promise<Session | AppError> {
  const { username, password, account } = params;
  const { limits, passwords, store } = parts;
  const device = readDevice(params);
  if (device instanceof AppError) return device;
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
  const { session, end } = await openSession(parts, { uid: user.doc.uid, since, ...device }, call);
  // The session is of the password that was right: if that was changed meanwhile it is no good, and better not answered.
  const now = await knownUser(store, user.doc.uid);
  if (now && (await loginOf(store, now.doc)).since === since) {
    const { clientId, token } = session;
    if (device.kind !== undefined) tellKind(parts, { uid: session.uid, clientId, kind: device.kind, login: true });
    return device.isClientObject ? { ...session, clientid: clientId, ticket: token } : session;
  }
  await end();
  return passwordChanged();
}

interface LoginDevice {
  device?: string | undefined;
  /** as it is, in place of one made of the user and the device */
  clientId?: string | undefined;
  kind?: string | undefined;
  dialect?: string | undefined;
  isClientObject?: boolean;
}

/** Which device logs in, and what it speaks: as Parley writes it, or as a Client object. */
function readDevice({ device, kind, dialect, ...object }: ParamsOf<typeof login>): LoginDevice | AppError {
  const { appid, deviceid, clientid: clientId, type } = object;
  const isClientObject = [appid, deviceid, clientId, type].some((field) => field !== undefined);
  const speaks =
    dialect ?? (isClientObject ? dialects.find(({ welcomes }) => welcomes?.clientObjects)?.name : undefined);
  const unknown = refuseDialect(speaks);
  if (unknown) return unknown;
  if (clientId !== undefined && reservedClientId.test(clientId))
    return new AppError("invalid_packet", "clientid begins as those of Parley's own services do: choose another one");
  const named = device ?? deviceid?.replaceAll(/[^0-9a-zA-Z_\-@.]/g, "-").slice(0, 31);
  return { device: named, clientId, kind: kind ?? type, dialect: speaks, isClientObject };
}

/** Its token would be good for nothing. */
export function refuseDialect(name: string | undefined): AppError | undefined {
  if (name === undefined || dialectOf({ name })) return undefined;
  return new AppError("invalid_packet", `dialect is one of ${dialects.map((one) => one.name).join(", ")}`);
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

/** For who has proven to be the user. */
export async function openSession(
  parts: SessionParts,
  { uid, since, device, clientId = clientIdOf(uid, device), dialect }: LoginDevice & { uid: string; since: number },
  call: Call,
): Promise<{ session: Session; end(): Promise<void> }> {
  const issuedAt = await parts.revoke.issueTime(uid, clientId);
  const begun = { uid, clientId, issuedAt, passwordSince: since, ...(dialect === undefined ? {} : { dialect }) };
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
