// Who calls over HTTP: a user by token, an application by server key, the operator by the services' secret.
import { AppError, type Caller, type Method, messagesSend } from "@parley/protocol";
import type { TObject, TSchema } from "typebox";
import { keyPrefix, verifyKey } from "../accounts/keys.ts";
import type { Revoke } from "../accounts/revoke.ts";
import { verifyToken } from "../accounts/tokens.ts";
import type { ApiStore } from "../store.ts";

export interface IdentityParts {
  store: ApiStore;
  revoke: Revoke;
  signingKey: Uint8Array;
  /** the services' secret */
  isOperator(credential: string): boolean;
}

/** What is called, as far as access goes. */
export type Called = Pick<Method<TObject, TSchema>, "name" | "access"> &
  Partial<Pick<Method<TObject, TSchema>, "owner">>;

type Kind = "user" | "key" | "operator";
type Identity = { kind: Kind; caller: Caller };

/** The caller, if the method's access lets it call; `authorization` is the header. */
export async function identify(
  parts: IdentityParts,
  method: Called,
  authorization: string | undefined,
): Promise<Caller | AppError> {
  if (method.access === "public") return { uid: "", via: "http" };
  if (authorization === undefined) return new AppError("unauthenticated", "send Authorization: Bearer …");
  const credential = credentialOf(authorization);
  if (credential === undefined) return new AppError("unauthenticated", "Authorization is not Bearer and one token");
  const identity = await recognize(parts, credential);
  if (!identity) return new AppError("unauthenticated", "the token or key is unknown, revoked or has run out");
  if (mayCall(identity.kind, method)) return identity.caller;
  return new AppError("forbidden", `${method.name} is not for ${names[identity.kind]}`);
}

const credentialOf = (authorization: string) => /^Bearer +([^\s]+)$/i.exec(authorization)?.[1];

/**
 * Whether the token of a request that was let in has been revoked since, for what goes on for long. That it has run out
 * meanwhile does not count.
 */
export async function revocationOf(
  { signingKey, revoke }: Pick<IdentityParts, "signingKey" | "revoke">,
  authorization = "",
): Promise<() => boolean> {
  const claims = await verifyToken(signingKey, credentialOf(authorization) ?? "");
  return () => !claims || revoke.refused(claims);
}

const names: Record<Kind, string> = { user: "users", key: "server keys", operator: "the operator" };

// A key may send messages too, and register for notifications: as the user it names.
function mayCall(kind: Kind, method: Called): boolean {
  return kind === method.access || (kind === "key" && (method.name === messagesSend.name || method.owner === "push"));
}

async function recognize(parts: IdentityParts, credential: string): Promise<Identity | undefined> {
  if (parts.isOperator(credential))
    return { kind: "operator", caller: { uid: "", clientId: "operator", via: "service" } };
  if (credential.startsWith(keyPrefix)) {
    const id = await verifyKey(parts.store, credential);
    return id === undefined ? undefined : { kind: "key", caller: { uid: "", clientId: `key:${id}`, via: "key" } };
  }
  const claims = await verifyToken(parts.signingKey, credential);
  if (!claims || parts.revoke.refused(claims)) return undefined;
  const { uid, clientId, issuedAt, passwordSince, family } = claims;
  const since = passwordSince === undefined ? {} : { passwordSince };
  const login = family === undefined ? {} : { family };
  return { kind: "user", caller: { uid, clientId, via: "http", issuedAt, ...since, ...login } };
}
