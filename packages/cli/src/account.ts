// Who calls: the session of --user at --server, kept, renewed, or made by a password that is at hand.
import {
  AppError,
  type Attachment,
  type ClientOptions,
  callHttp,
  type DownloadOptions,
  downloadFile,
  exportAccount,
  type FileBytes,
  type ParamsOf,
  type ResultOf,
  type Session,
  type UploadOptions,
  uploadFile,
} from "@parley/client";
import { login, type Method, refresh } from "@parley/protocol";
import { type Credentials, configFolder, openCredentials } from "./credentials.ts";
import { lockDevice } from "./device-lock.ts";
import { UsageError } from "./failure.ts";
import { givenPassword } from "./password.ts";
import { findServer, type Server } from "./server.ts";

/** What every command takes. */
export interface AccountFlags {
  server?: string;
  user?: string;
  device?: string;
  password?: string;
  passwordFile?: string;
  json?: boolean;
}

export type Connection = Pick<ClientOptions, "url" | "session" | "onSession" | "username" | "password" | "device">;

export interface Account {
  server: Server;
  /** Undefined when nobody has logged in. */
  user: string | undefined;
  device: string;
  /** Calls a method by HTTP, as this user. */
  call<M extends Method>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>>;
  upload(bytes: FileBytes, options: UploadOptions): Promise<Attachment>;
  download(file: string, options?: DownloadOptions): Promise<Response>;
  /** A ZIP. */
  export(): Promise<Response>;
  /** What a connection needs, on a device that no other parley uses now. */
  connection(): Promise<Connection>;
  /** The device's session, which the server has ended. */
  forget(): void;
}

const defaultDevice = "cli";
const devicesAtOnce = 9;
const renewBeforeMs = 60_000;

export function openAccount(flags: AccountFlags): Account {
  const server = findServer(flags.server);
  const credentials = openCredentials();
  const user = flags.user ?? process.env.PARLEY_USER ?? credentials.user(server.url);
  const opened: Opened = { server, credentials, user, password: passwordOf(flags, server, user) };
  const device = flags.device ?? defaultDevice;
  return {
    server,
    user,
    device,
    call: (method, params) => asUser(opened, device, (token) => callHttp(server.url, method, params, { token })),
    upload: (bytes, options) =>
      asUser(opened, device, () => uploadFile(server.url, () => tokenOf(opened, device), bytes, options)),
    download: (file, options) => asUser(opened, device, (token) => downloadFile(server.url, token, file, options)),
    export: () => asUser(opened, device, (token) => exportAccount(server.url, token)),
    connection: () => openDevice(opened, flags.device),
    forget: () => user !== undefined && credentials.forget(server.url, user, device),
  };
}

async function tokenOf(opened: Opened, device: string): Promise<string> {
  return (await fresh(opened, device, await sessionOf(opened, device))).token;
}

// A token that is refused is renewed once.
async function asUser<T>(opened: Opened, device: string, work: (token: string) => Promise<T>): Promise<T> {
  const session = await fresh(opened, device, await sessionOf(opened, device));
  try {
    return await work(session.token);
  } catch (error) {
    if (AppError.from(error).code !== "unauthenticated") throw error;
    return work((await renew(opened, device, session)).token);
  }
}

interface Opened {
  server: Server;
  credentials: Credentials;
  user: string | undefined;
  password: string | undefined;
}

function passwordOf(flags: AccountFlags, { demo }: Server, user: string | undefined): string | undefined {
  return givenPassword(flags) ?? demo.find(({ username }) => username === user)?.password;
}

/** Logs in and keeps the session; `account`: another one of this login. */
export async function logIn(
  server: Server,
  username: string,
  password: string,
  device: string,
  account?: string,
): Promise<Session> {
  const other = account === undefined ? {} : { account };
  const session = await callHttp(server.url, login, { username, password, ...other, device, kind: "cli" });
  openCredentials().save(server.url, device, session);
  return session;
}

async function sessionOf({ server, credentials, user, password }: Opened, device: string): Promise<Session> {
  if (user === undefined)
    throw new AppError("unauthenticated", `not logged in at ${server.url}; parley login --user NAME`);
  const kept = credentials.find(server.url, user, device);
  if (kept) return kept;
  if (password !== undefined) return logIn(server, user, password, device);
  const as = device === defaultDevice ? "" : ` --device ${device}`;
  throw new AppError("unauthenticated", `not logged in at ${server.url} as ${user}; parley login --user ${user}${as}`);
}

/** The session, with a token that is good for a while. */
async function fresh(opened: Opened, device: string, session: Session): Promise<Session> {
  return session.expiresAt > Date.now() + renewBeforeMs ? session : renew(opened, device, session);
}

/** A new token by the refresh token, else by the password if it is at hand: the server may have forgotten us. */
async function renew(opened: Opened, device: string, session: Session): Promise<Session> {
  const { server, credentials, password } = opened;
  const newer = newerThan(session, opened, device);
  if (newer) return newer;
  try {
    const renewed = await callHttp(server.url, refresh, { refreshToken: session.refreshToken });
    credentials.save(server.url, device, renewed);
    return renewed;
  } catch (error) {
    if (AppError.from(error).code !== "unauthenticated") throw error;
    // Another parley used the same refresh token, and the server's patience with two at once was over.
    const saved = newerThan(session, opened, device);
    if (saved) return saved;
    if (password !== undefined) return logIn(server, session.uid, password, device);
    throw new AppError(
      "unauthenticated",
      `the login of ${session.uid} has run out; parley login --user ${session.uid}`,
    );
  }
}

// What another parley has saved since we read ours.
function newerThan(session: Session, { server, credentials }: Opened, device: string): Session | undefined {
  const kept = credentials.find(server.url, session.uid, device);
  const isNew = kept !== undefined && kept.refreshToken !== session.refreshToken && kept.token !== session.token;
  return isNew && kept.expiresAt > Date.now() + renewBeforeMs ? kept : undefined;
}

async function openDevice(opened: Opened, wanted: string | undefined): Promise<Connection> {
  const { server, user, credentials, password } = opened;
  const names = wanted
    ? [wanted]
    : Array.from({ length: devicesAtOnce }, (_, n) => (n === 0 ? defaultDevice : `${defaultDevice}${n + 1}`));
  let heldBy: number | undefined;
  for (const device of names) {
    const known = password !== undefined || (user !== undefined && credentials.find(server.url, user, device));
    if (!known && heldBy !== undefined) continue;
    const lock = lockDevice(configFolder(), `${server.url} ${user}:${device}`);
    heldBy = lock.heldBy ?? heldBy;
    if (lock.heldBy !== undefined) continue;
    const session = await fresh(opened, device, await sessionOf(opened, device));
    const onSession = (next: Session) => credentials.save(server.url, device, next);
    return {
      url: server.url,
      session,
      onSession,
      ...(password !== undefined && { username: session.uid, password, device }),
    };
  }
  throw new UsageError(
    `${user}:${names[0]} is in use by process ${heldBy}; log in another device: parley login --user ${user} --device NAME`,
  );
}
