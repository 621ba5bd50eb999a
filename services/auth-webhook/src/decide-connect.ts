// Decides who may connect, as whom and for how long; the steps in order, each with the refusal it can end in.
import {
  type ConnectReply,
  type ConnectRequest,
  isUid,
  type PasswordReply,
  reservedClientId,
  type UnchangedRequest,
} from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import type { ConnectRates } from "./connect-rates.ts";
import { nativeUid, servicesUsername } from "./decide-publish.ts";
import { looksLikeToken, type TokenClaims, type TokenRefusal, type Tokens } from "./tokens.ts";

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
  /** Is the password that was right still the account's? undefined: nobody answered */
  unchanged(request: UnchangedRequest): Promise<boolean | undefined>;
}

/** What the decision asks, handed in. */
export interface ConnectRules {
  isServicesSecret(password: string): boolean;
  tokens: Tokens;
  /** undefined: the list is not loaded yet */
  isRevoked(claims: TokenClaims): boolean | undefined;
  passwords: Passwords | undefined;
  /** how long a session may be kept for a device that is away */
  sessionExpiryMaxSeconds: number;
  /** Makes the user of an external issuer where it is missing. false: the name is not to be had; undefined: nobody answered. */
  ensureUser(uid: string): Promise<boolean | undefined>;
  /** undefined: presence did not answer in time */
  register(request: ConnectRequest): Promise<ConnectReply | undefined>;
  rates: ConnectRates;
}

type Credential = { kind: "token"; claims: TokenClaims } | { kind: "password"; version: string | undefined };

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
  const credential = looksLikeToken(password)
    ? await checkToken(username, clientId, password, rules) // invalid_token expired other_user other_client_id revoked not_ready username unavailable
    : await checkPassword(username, password, address, rules); // passwords_off too_many_failures wrong_password busy unavailable
  if (typeof credential === "string") return refuse(credential);
  // Only now: who has no valid credential for the device uses nothing of its rate up.
  rules.rates.connected(clientId, address);
  const reply = await rules.register(connectRequest(attempt, username, at, credential));
  if (reply === undefined && credential.kind === "password") return refuse("unavailable");
  if (reply?.ok === false) return refuse(reply.reason); // owned_by_another blocked
  const changed = await passwordChanged(username, credential, rules); // password_changed unavailable
  if (changed !== undefined) return refuse(changed);
  const expiresAt = credential.kind === "token" ? credential.claims.exp : undefined;
  return { allow: true, uid: username, p: ingestPartition(clientId), service: false, expiresAt };
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
): Promise<Credential | ConnectRefusal> {
  const claims = await tokens.verify(token);
  if (typeof claims === "string") return claims;
  if (claims.sub !== username) return "other_user";
  if (claims.clientId !== undefined && claims.clientId !== clientId) return "other_client_id";
  const revoked = isRevoked({ ...claims, clientId });
  if (revoked === undefined) return "not_ready";
  if (revoked) return "revoked";
  const ensured = claims.external ? await ensureUser(username) : true;
  if (ensured === undefined) return "unavailable";
  return ensured ? { kind: "token", claims } : "username";
}

async function checkPassword(
  username: string,
  password: string,
  address: string,
  { passwords, rates }: ConnectRules,
): Promise<Credential | ConnectRefusal> {
  if (!passwords) return "passwords_off";
  let verified: PasswordReply | "busy" | undefined;
  const guess = await rates.guess(address, username, async () => {
    verified = await passwords.verify(username, password, address);
    return verified === "busy" ? undefined : verified?.ok;
  });
  if ("retryAfterMs" in guess) return "too_many_failures";
  if (verified === undefined) return "unavailable";
  if (verified === "busy") return "busy";
  return verified.ok ? { kind: "password", version: verified.version } : "wrong_password";
}

/** A change of the password ends the sessions that presence knows: one that was registered only afterwards ends here. */
async function passwordChanged(
  username: string,
  credential: Credential,
  { passwords }: ConnectRules,
): Promise<"password_changed" | "unavailable" | undefined> {
  if (credential.kind === "token" || credential.version === undefined) return undefined;
  const unchanged = await passwords?.unchanged({ username, version: credential.version });
  if (unchanged === undefined) return "unavailable";
  return unchanged ? undefined : "password_changed";
}

function connectRequest(attempt: ConnectAttempt, uid: string, at: number, credential: Credential): ConnectRequest {
  const { clientId, protocol, address, connection } = attempt;
  const request: ConnectRequest = { uid, clientId, credential: credential.kind, at, address };
  if (protocol !== undefined) request.protocol = protocol;
  if (connection !== undefined) request.connection = connection;
  if (credential.kind === "token") {
    request.issuedAt = credential.claims.iat;
    request.expiresAt = credential.claims.exp;
  }
  return request;
}

function refuse(reason: ConnectRefusal): ConnectDecision {
  return { allow: false, reason };
}
