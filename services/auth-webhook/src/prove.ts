// Who connects: by a token, the account's password, a guest's login of the configuration, or as nobody who is to make an account.
import {
  type Credential,
  isUid,
  type PasswordReply,
  type TreeOwner,
  uidNamedBy,
  uidOfClientId,
} from "@parley/protocol";
import { type Dialect, dialectOf, dialectOfClientId, dialectOfGuests } from "@parley/protocol/dialects";
import { type Guest, secretCheck } from "@parley/runtime";
import type { ConnectAttempt, ConnectRefusal, ConnectRules } from "./connect-rules.ts";
import { looksLikeToken, type TokenClaims } from "./tokens.ts";

/** How a revocation knows what was shown, and until when it is good (unix s). */
export interface Proven {
  owner: TreeOwner;
  /** of a guest its name; of nobody empty */
  uid: string;
  kind: "token" | "password" | "none";
  proof: Credential;
  exp?: number;
  /** what the device speaks; undefined: the first topic that it uses says it */
  dialect: Dialect | undefined;
  /** the token names the dialect: the device has a tree, whatever it is called */
  isDialectToken?: true;
  /** the token has run out lately */
  expired?: true;
  /** of a guest */
  prefix?: string;
}

/** So long after its token has run out a device may come for a new one, where its dialect is so. */
const expiredSeconds = 30 * 86_400;
/** So long the connection lasts that it comes with. */
const renewSeconds = 86_400;

export async function prove(attempt: ConnectAttempt, rules: ConnectRules): Promise<Proven | ConnectRefusal> {
  const { password, username } = attempt;
  if (!password) return proveNobody(attempt, rules);
  if (looksLikeToken(password)) return proveToken(attempt, password, rules);
  const guest = rules.guests.find(({ name }) => name === username);
  if (guest && secretCheck(guest.password)(password)) {
    // Names are one namespace: a user of that name is asked for its own password.
    const isUser = await rules.userExists(guest.name);
    if (isUser === undefined) return "unavailable";
    if (!isUser) return proveGuest(attempt, guest, rules);
  }
  return provePassword(attempt, password, rules);
}

/** A client id of a dialect in which accounts are made that way. */
function proveNobody(attempt: ConnectAttempt, { dialects, rates }: ConnectRules): Proven | ConnectRefusal {
  const { clientId, address } = attempt;
  const dialect = dialectOfClientId(clientId, dialects);
  if (!dialect?.welcomes?.anonymous) return attempt.username === undefined ? "username" : "no_credential";
  if (rates.strangerTooOften(address)) return "rate_limited";
  return { owner: "anonymous", uid: "", kind: "none", proof: noProof(clientId), dialect };
}

function proveGuest(attempt: ConnectAttempt, { name, prefix }: Guest, { dialects, rates }: ConnectRules) {
  if (rates.strangerTooOften(attempt.address)) return "rate_limited" as const;
  const dialect = dialectOfGuests(dialects);
  const proof = noProof(attempt.clientId);
  return { owner: "guest", uid: name, kind: "none", proof, dialect, prefix } as const;
}

function noProof(clientId: string): Credential {
  return { clientId, issuedAt: Number.POSITIVE_INFINITY, passwordSince: undefined, family: undefined };
}

/** May no other user ever have this client id? A user's name alone may be another one's client id by chance. */
export function isOwnAlone(clientId: string): boolean {
  const uid = uidOfClientId(clientId);
  return uid !== undefined && uid !== clientId;
}

/** One that was made up names whatever the device called itself. */
function isAnothers({ clientId, assigned }: ConnectAttempt, uid: string): boolean {
  return !assigned && isOwnAlone(clientId) && uidOfClientId(clientId) !== uid;
}

async function proveToken(
  attempt: ConnectAttempt,
  token: string,
  rules: ConnectRules,
): Promise<Proven | ConnectRefusal> {
  const { clientId } = attempt;
  const claims = await rules.tokens.verify(token, expiredSeconds);
  if (typeof claims === "string") return claims;
  const { sub: uid, issuedAt, passwordSince, family, exp } = claims;
  if (!isUid(uid)) return "invalid_token";
  if (claims.clientId !== undefined && claims.clientId !== clientId) return "other_client_id";
  if (isAnothers(attempt, uid)) return "client_id";
  const named = dialectOf({ name: claims.dialect, table: rules.dialects });
  if (claims.dialect !== undefined && !named) return "invalid_token";
  const dialect = named ?? dialectOfClientId(clientId, rules.dialects);
  const proof = { clientId, issuedAt, passwordSince, family };
  const revoked = rules.isRevoked(uid, proof);
  if (revoked === undefined) return "not_ready";
  if (revoked) return "revoked";
  const proven: Proven = { owner: "user", uid, kind: "token", proof, dialect };
  if (named) proven.isDialectToken = true;
  const now = Date.now() / 1000;
  if (exp <= now) {
    const refusal = dialect?.welcomes?.expiredTokens ? await notLoggedIn(claims, clientId, rules) : "expired";
    return refusal ?? { ...proven, exp: Math.floor(now) + renewSeconds, expired: true };
  }
  const ensured = claims.external ? await rules.ensureUser(uid) : true;
  if (ensured === undefined) return "unavailable";
  return ensured ? { ...proven, exp } : "username";
}

/** Revocations are forgotten when the tokens they end have run out: of such a token its login says whether it is good. */
async function notLoggedIn(
  { sub, family }: TokenClaims,
  clientId: string,
  { loginsOf }: ConnectRules,
): Promise<ConnectRefusal | undefined> {
  if (family === undefined) return "expired";
  const logins = await loginsOf(sub);
  if (logins === undefined) return "unavailable";
  const isGood = logins.some((login) => login.clientId === clientId && login.families?.includes(family));
  return isGood ? undefined : "revoked";
}

async function provePassword(
  attempt: ConnectAttempt,
  password: string,
  rules: ConnectRules,
): Promise<Proven | ConnectRefusal> {
  const { clientId } = attempt;
  const names = namesOf(attempt);
  if (names.length === 0) return "username";
  let refusal: ConnectRefusal = "wrong_password";
  for (const name of names) {
    const verified = await checkPassword(attempt, name, password, rules);
    if (typeof verified === "string") {
      refusal = verified;
      if (refusal !== "wrong_password") break;
      continue;
    }
    const { uid = name, passwordSince } = verified;
    if (isAnothers(attempt, uid)) return "client_id";
    // It is as new as can be: only a change of the password ends it here, and no clock does.
    const issuedAt = Number.POSITIVE_INFINITY;
    const proof = { clientId, issuedAt, passwordSince, family: undefined };
    return { owner: "user", uid, kind: "password", proof, dialect: dialectOfClientId(clientId, rules.dialects) };
  }
  return refusal;
}

/** Whose password it may be: some protocols name the user in the client id, and have anything or nothing as user name. */
function namesOf({ username, clientId }: ConnectAttempt): string[] {
  const uid = uidOfClientId(clientId);
  const named = uid === undefined || uid === clientId ? uidNamedBy(clientId) : undefined;
  const inOrder = uid === undefined ? [named, username] : [username, named];
  return [...new Set(inOrder)].filter((name) => name !== undefined).filter(isUid);
}

async function checkPassword(
  { address }: ConnectAttempt,
  name: string,
  password: string,
  { passwords, rates }: ConnectRules,
): Promise<PasswordReply | ConnectRefusal> {
  if (!passwords) return "passwords_off";
  let verified: PasswordReply | "busy" | undefined;
  const guess = await rates.guess(address, name, async () => {
    verified = await passwords.verify(name, password, address);
    return verified === "busy" ? undefined : verified?.ok;
  });
  if ("retryAfterMs" in guess) return "too_many_failures";
  if (verified === undefined) return "unavailable";
  if (verified === "busy") return "busy";
  return verified.ok ? verified : "wrong_password";
}
