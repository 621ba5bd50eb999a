// What api keeps: one collection each for accounts, names, keys, rooms, refresh tokens, revocations and requests.
import { AppError, type Revocation } from "@parley/protocol";
import { type Collection, type Documents, StoreError } from "@parley/store";

/** By uid. `passwordHash` null: logs in through an application only. */
export interface UserDoc {
  uid: string;
  passwordHash: string | null;
  name: string | null;
  createdAt: number;
  kind: "user";
  /** the operations that made it and that last changed its password: a request worked again finds its own work */
  madeBy: string;
  passwordBy?: string;
}

/** By name: users and rooms share one namespace. */
export interface NameDoc {
  kind: "user" | "room";
}

/** By key id. `hash` is the key's SHA-256 as hex. */
export interface KeyDoc {
  id: string;
  name: string;
  createdAt: number;
  hash: string;
}

/** By room id. Members are history's; `members` are those that the creation adds. */
export interface RoomDoc {
  id: string;
  name: string;
  createdBy: string;
  createdAt: number;
  settings: { join?: "open" | "invite" };
  state: "creating" | "ready";
  members: string[];
  device: string;
  madeBy: string;
}

/** By the token's SHA-256 as hex. Those of one device are one family: a used one shown again ends them all. */
export interface RefreshTokenDoc {
  uid: string;
  clientId: string;
  /** unix ms */
  issuedAt: number;
  expiresAt: number;
  usedAt: number | null;
}

/** By `{uid} {clientId}`. `announced` false: the others may not have heard of it. */
export interface RevocationDoc extends Revocation {
  announced: boolean;
}

/** By a digest of uid, client id and request id. */
export interface RequestDoc {
  state: "begun" | "done";
  /** digest of method and params: an id used for another request is refused */
  of: string;
  /** the id its changes are keyed by */
  operation: string;
  begunAt: number;
  answer?: unknown;
}

export interface ApiStore {
  users: Collection<UserDoc>;
  names: Collection<NameDoc>;
  keys: Collection<KeyDoc>;
  rooms: Collection<RoomDoc>;
  refreshTokens: Collection<RefreshTokenDoc>;
  revocations: Collection<RevocationDoc>;
  requests: Collection<RequestDoc>;
}

export async function openApiStore(documents: Documents): Promise<ApiStore> {
  return {
    users: await documents.collection<UserDoc>({ name: "users" }),
    names: await documents.collection<NameDoc>({ name: "names" }),
    keys: await documents.collection<KeyDoc>({ name: "keys" }),
    rooms: await documents.collection<RoomDoc>({ name: "rooms", indexes: { state: ["state"] } }),
    refreshTokens: await documents.collection<RefreshTokenDoc>({
      name: "refresh_tokens",
      indexes: { device: ["uid", "clientId"], expires: ["expiresAt"] },
    }),
    revocations: await documents.collection<RevocationDoc>({
      name: "revocations",
      indexes: { until: ["until"], before: ["before"] },
    }),
    requests: await documents.collection<RequestDoc>({ name: "requests", indexes: { begun: ["begunAt"] } }),
  };
}

/** Any thrown value as an AppError: a store that cannot answer now is `unavailable`, not a failure of ours. */
export function errorOf(thrown: unknown): AppError {
  const isAway = thrown instanceof StoreError && (thrown.code === "unavailable" || thrown.code === "full");
  return isAway ? new AppError("unavailable", undefined, { cause: thrown }) : AppError.from(thrown);
}
