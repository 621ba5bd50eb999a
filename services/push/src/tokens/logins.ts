// What others know of a device: with what it is connected, which logins of it are good, whether its user is there at all.
import {
  AppError,
  type ConnectionCredential,
  type LoginsReply,
  subjects,
  type UnchangedRequest,
} from "@parley/protocol";
import { type NatsConnection, requestJson } from "@parley/runtime";
import type { TokenCredential } from "./token.ts";

export interface Login {
  clientId: string;
  /** with what its latest login is good */
  credential: TokenCredential;
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

function readLogin({ clientId, at, families = [] }: LoginsReply["logins"][number]): Login {
  const family = families.at(-1);
  return { clientId, families, credential: { issuedAt: at / 1000, ...(family === undefined ? {} : { family }) } };
}

/** What api and presence cannot say now is `unavailable`, whatever they answered. */
export function unknownNow(thrown: unknown): AppError {
  return new AppError("unavailable", "whether the device is logged in cannot be found out now", { cause: thrown });
}
