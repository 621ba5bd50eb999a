// What others know of a device: with what it is connected, which logins of it are good, whether its user is there at all.
import {
  AppError,
  type ConnectionCredential,
  type LoginsReply,
  subjects,
  type UnchangedRequest,
} from "@parley/protocol";
import { type NatsConnection, requestJson } from "@parley/runtime";

export interface Login {
  clientId: string;
  /** unix s: of its latest token */
  issuedAt: number;
  /** of the last of `families` */
  passwordSince?: number;
  /** its logins that are good, if it has many the latest */
  families: readonly string[];
}

export interface Logins {
  /** The devices that are logged in as this user, by client id. Throws `unavailable`. */
  of(uid: string): Promise<Map<string, Login>>;
  connection(clientId: string): Promise<ConnectionCredential>;
  exists(uid: string): Promise<boolean>;
  /** The user's password is still the one of that time. */
  isUnchanged(uid: string, passwordSince: number): Promise<boolean>;
}

const timeoutMs = 5_000;

export function askLogins(nats: NatsConnection): Logins {
  const ask = <Reply>(subject: string, asked: object) => requestJson<Reply>(nats, subject, asked, { timeoutMs });
  return {
    async of(uid) {
      const { logins } = await ask<LoginsReply>(subjects.logins, { uid });
      return new Map(logins.map((login) => [login.clientId, readLogin(login)]));
    },
    connection: (clientId) => ask<ConnectionCredential>(subjects.connectionCredential, { clientId }),
    exists: async (uid) => (await ask<{ exists: boolean }>(subjects.userExists, { uid })).exists,
    async isUnchanged(uid, passwordSince) {
      const asked: UnchangedRequest = { username: uid, passwordSince };
      return (await ask<{ ok: boolean }>(subjects.passwordUnchanged, asked)).ok;
    },
  };
}

/** So many families of a device at most are told. */
const familiesTold = 8;

function readLogin({ clientId, at, families = [], passwordSince }: LoginsReply["logins"][number]): Login {
  return { clientId, issuedAt: at / 1000, families, ...(passwordSince === undefined ? {} : { passwordSince }) };
}

/** `family`: absent, any login will do. One that has too many logins is believed. */
export function isLoggedIn(login: Login | undefined, family: string | undefined): boolean {
  if (login === undefined) return false;
  return family === undefined || login.families.includes(family) || login.families.length >= familiesTold;
}

/** What api and presence cannot say now is `unavailable`, whatever they answered. */
export function unknownNow(thrown: unknown): AppError {
  return new AppError("unavailable", "whether the device is logged in cannot be found out now", { cause: thrown });
}
