// Decides who may connect, as whom and for how long; the steps in order, each with the refusal it can end in.
import {
  type ConnectReply,
  type ConnectRequest,
  type Credential,
  isUid,
  type PasswordReply,
  reservedClientId,
  type UnchangedRequest,
} from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import type { ConnectRates } from "./connect-rates.ts";
import { nativeUid, servicesUsername } from "./decide-publish.ts";
import { looksLikeToken, type TokenRefusal, type Tokens } from "./tokens.ts";

export interface ConnectAttempt {
  clientId: string;
  username: string | undefined;
  password: string | undefined;
  /** of the device, not of a proxy */
  address: string;
  protocol: 4 | 5 | undefined;
  /** the broker's name for this connection, where it has one */
  connection?: string | undefined;
  /** of MQTT 5, where the broker cannot shorten it */
  sessionExpirySeconds?: number | undefined;
}

export type ConnectRefusal =
  | TokenRefusal
  | "reserved"
  | "username"
  | "client_id"
  | "no_credential"
  | "rate_limited"
  | "busy"
  | "session_expiry"
  | "other_client_id"
  | "revoked"
  | "not_ready"
  | "passwords_off"
  | "wrong_password"
  | "revoked_meanwhile"
  | "password_changed"
  | "too_many_failures"
  | "unavailable"
  | "owned_by_another"
  | "blocked";

export type ConnectDecision =
  | { allow: true; uid: string; p: string; service: boolean /** unix s */; expiresAt: number | undefined }
  | { allow: false; reason: ConnectRefusal };

/** Absent from the rules when passwords are off. */
export interface Passwords {
  /** busy: too many wait to be checked; undefined: nobody answered */
  verify(username: string, password: string, address: string): Promise<PasswordReply | "busy" | undefined>;
  /** Does the account still have the password that was right? undefined: nobody answered */
  unchanged(request: UnchangedRequest): Promise<boolean | undefined>;
}

/** What the decision asks, handed in. */
export interface ConnectRules {
  isServicesSecret(password: string): boolean;
  tokens: Tokens;
  /** undefined: the list is not loaded yet */
  isRevoked(uid: string, proof: Credential): boolean | undefined;
  passwords: Passwords | undefined;
  /** how long a session may be kept for a device that is away */
  sessionExpiryMaxSeconds: number;
  /** Makes the user of an external issuer where it is missing. false: the name is not to be had; undefined: nobody answered. */
  ensureUser(uid: string): Promise<boolean | undefined>;
  /** undefined: presence did not answer in time */
  register(request: ConnectRequest): Promise<ConnectReply | undefined>;
  rates: ConnectRates;
}

/** A right password or a good token: how a revocation knows it, and until when it is good (unix s). */
type Proven = { kind: "token" | "password"; proof: Credential; exp?: number };

export async function decideConnect(attempt: ConnectAttempt, rules: ConnectRules): Promise<ConnectDecision> {
  const { clientId, username, password, address } = attempt;
  if (username === servicesUsername || reservedClientId.test(clientId)) return decideService(attempt, rules); // reserved
  if (username === undefined || !isUid(username)) return refuse("username");
  // A dialect's client id (and with it a tree of its own) is decided here once dialects are there.
  if (nativeUid({ username, clientId }) === undefined) return refuse("client_id");
  if (!password) return refuse("no_credential");
  if ((attempt.sessionExpirySeconds ?? 0) > rules.sessionExpiryMaxSeconds) return refuse("session_expiry");
  if (rules.rates.tooOften(clientId, address)) return refuse("rate_limited");
  const at = Date.now();
  const proven = looksLikeToken(password)
    ? await checkToken(username, clientId, password, rules) // invalid_token expired other_user other_client_id revoked not_ready username unavailable
    : await checkPassword(attempt, username, password, rules); // passwords_off too_many_failures wrong_password busy unavailable
  if (typeof proven === "string") return refuse(proven);
  // Only now: who has no valid credential for the device uses nothing of its rate up.
  rules.rates.connected(clientId, address);
  const reply = await rules.register(connectRequest(attempt, username, at, proven));
  if (reply === undefined && proven.kind === "password") return refuse("unavailable");
  if (reply?.ok === false) return refuse(reply.reason); // owned_by_another blocked
  const over = await overMeanwhile(username, proven, rules); // revoked_meanwhile password_changed unavailable
  if (over !== undefined) return refuse(over);
  return { allow: true, uid: username, p: ingestPartition(clientId), service: false, expiresAt: proven.exp };
}

/** Parley's own sessions: never a device, so presence is not asked. A `/`, `+` or `#` in the id would read other trees. */
function decideService({ clientId, username, password }: ConnectAttempt, rules: ConnectRules): ConnectDecision {
  if (username !== servicesUsername || !password || !rules.isServicesSecret(password)) return refuse("reserved");
  if (!/^[^/+#\0]{1,64}$/.test(clientId)) return refuse("client_id");
  return { allow: true, uid: servicesUsername, p: ingestPartition(clientId), service: true, expiresAt: undefined };
}

async function checkToken(
  username: string,
  clientId: string,
  token: string,
  { tokens, isRevoked, ensureUser }: ConnectRules,
): Promise<Proven | ConnectRefusal> {
  const claims = await tokens.verify(token);
  if (typeof claims === "string") return claims;
  if (claims.sub !== username) return "other_user";
  if (claims.clientId !== undefined && claims.clientId !== clientId) return "other_client_id";
  const { issuedAt, passwordSince, family, exp } = claims;
  const proof = { clientId, issuedAt, passwordSince, family };
  const revoked = isRevoked(username, proof);
  if (revoked === undefined) return "not_ready";
  if (revoked) return "revoked";
  const ensured = claims.external ? await ensureUser(username) : true;
  if (ensured === undefined) return "unavailable";
  return ensured ? { kind: "token", proof, exp } : "username";
}

async function checkPassword(
  { clientId, address }: ConnectAttempt,
  username: string,
  password: string,
  { passwords, rates }: ConnectRules,
): Promise<Proven | ConnectRefusal> {
  if (!passwords) return "passwords_off";
  let verified: PasswordReply | "busy" | undefined;
  const guess = await rates.guess(address, username, async () => {
    verified = await passwords.verify(username, password, address);
    return verified === "busy" ? undefined : verified?.ok;
  });
  if ("retryAfterMs" in guess) return "too_many_failures";
  if (verified === undefined) return "unavailable";
  if (verified === "busy") return "busy";
  if (!verified.ok) return "wrong_password";
  const { passwordSince } = verified;
  // It is as new as can be: only a change of the password ends it here, and no clock does.
  const issuedAt = Number.POSITIVE_INFINITY;
  return { kind: "password", proof: { clientId, issuedAt, passwordSince, family: undefined } };
}

/**
 * A revocation ends the sessions that presence knows: one that was registered only afterwards ends here. A password is
 * asked for once more, as a token's revocation may be on its way when its change is made.
 */
async function overMeanwhile(
  username: string,
  { kind, proof }: Proven,
  { isRevoked, passwords }: ConnectRules,
): Promise<"revoked_meanwhile" | "password_changed" | "unavailable" | undefined> {
  if (isRevoked(username, proof)) return "revoked_meanwhile";
  if (kind === "token" || proof.passwordSince === undefined) return undefined;
  const unchanged = await passwords?.unchanged({ username, passwordSince: proof.passwordSince });
  if (unchanged === undefined) return "unavailable";
  return unchanged ? undefined : "password_changed";
}

function connectRequest(
  attempt: ConnectAttempt,
  uid: string,
  at: number,
  { kind, proof, exp }: Proven,
): ConnectRequest {
  const { clientId, protocol, address, connection } = attempt;
  const request: ConnectRequest = { uid, clientId, credential: kind, at, address };
  if (protocol !== undefined) request.protocol = protocol;
  if (connection !== undefined) request.connection = connection;
  if (proof.passwordSince !== undefined) request.passwordSince = proof.passwordSince;
  if (proof.family !== undefined) request.family = proof.family;
  if (kind === "token") request.issuedAt = proof.issuedAt;
  if (exp !== undefined) request.expiresAt = exp;
  return request;
}

function refuse(reason: ConnectRefusal): ConnectDecision {
  return { allow: false, reason };
}
