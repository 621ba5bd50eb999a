// Refresh tokens: each is good once, and its successor is made from it, so that a lost answer can be given again.
import { createHash, createHmac, randomBytes } from "node:crypto";
import { AppError } from "@parley/protocol";
import { hasPassed, type Pass } from "@parley/runtime";
import type { Versioned } from "@parley/store";
import type { ApiStore, RefreshTokenDoc } from "../store.ts";
import { credentialOf, familyName, isOfEarlierPassword } from "./families.ts";
import type { Revoke } from "./revoke.ts";

const refreshLifeMs = 30 * 24 * 3_600_000;
/** How long a used token is answered with its successor: the answer was lost, or two tabs refreshed at once. */
const graceMs = 30_000;
/** Of the tokens used within the grace so many are known again. */
const usedKept = 16;

export interface RefreshParts {
  store: ApiStore;
  revoke: Revoke;
  signingKey: Uint8Array;
  /** marks a point where a test can end the process */
  pass: Pass;
}

/** A token that was used too long ago was shown: somebody else has a copy. */
export interface Reused {
  reused: { uid: string; clientId: string };
}

export interface Successor {
  uid: string;
  clientId: string;
  refreshToken: string;
  issuedAt: number;
  passwordSince: number;
  family: string;
  /** what the device speaks, where it is another protocol than Parley's own */
  dialect?: string;
}

/** The first token of a new family. */
export async function beginFamily(
  { refreshTokens }: ApiStore,
  begun: Omit<Successor, "refreshToken" | "family">,
): Promise<{ first: Successor; end(): Promise<void> }> {
  const refreshToken = randomBytes(32).toString("base64url");
  const key = digest(refreshToken);
  await refreshTokens.insert(key, { ...begun, expiresAt: begun.issuedAt + refreshLifeMs });
  const first = { ...begun, refreshToken, family: familyName(key) };
  return { first, end: async () => void (await refreshTokens.remove(key)) };
}

/** Uses a token up. Every replica answers the same successor for it during the grace, also after a crash in between. */
export async function succeed(parts: RefreshParts, token: string): Promise<Successor | Reused | AppError> {
  const { refreshTokens } = parts.store;
  const refusal = new AppError("unauthenticated", "the refresh token is unknown, used or has run out; log in again");
  const key = familyOf(token);
  for (;;) {
    const family = key === undefined ? undefined : await refreshTokens.get(key);
    if (!family || family.doc.expiresAt <= Date.now()) return refusal;
    // Before anything else: who shows a token of an ended login logs nobody out.
    if (await isOfEarlierPassword(parts.store, family)) return refusal;
    const { uid, clientId, issuedAt, dialect } = family.doc;
    const { passwordSince, family: name } = credentialOf(family);
    const same = { uid, clientId, passwordSince, family: name, ...(dialect === undefined ? {} : { dialect }) };
    if (isGood(family, token)) {
      const { next, refreshToken } = await nextOf(parts, family, token);
      parts.pass("before-refresh");
      if (await refreshTokens.update(family.key, next, family.version)) {
        parts.pass("before-refresh-reply");
        return { ...same, refreshToken, issuedAt: next.issuedAt };
      }
      // Used at the same time, or revoked: what it is now tells which.
      continue;
    }
    const refreshToken = usedJustNow(family.doc, token) ? latestOf(parts.signingKey, family, token) : undefined;
    return refreshToken === undefined ? { reused: { uid, clientId } } : { ...same, refreshToken, issuedAt };
  }
}

function isGood({ key, doc }: Versioned<RefreshTokenDoc>, token: string): boolean {
  if (doc.current === undefined && typeof doc.usedAt === "number") return false;
  return (doc.current ?? key) === digest(token);
}

function usedJustNow({ used = [] }: RefreshTokenDoc, token: string): boolean {
  return used.some((one) => one.token === digest(token) && isRecent(one));
}

/** The good token, made from one that came before it. */
function latestOf(signingKey: Uint8Array, { key, doc }: Versioned<RefreshTokenDoc>, token: string): string | undefined {
  let latest = token;
  for (let step = 0; step <= usedKept; step++) {
    latest = successorOf(signingKey, key, latest);
    if (digest(latest) === doc.current) return latest;
  }
  return undefined;
}

async function nextOf({ revoke, signingKey }: RefreshParts, family: Versioned<RefreshTokenDoc>, token: string) {
  const { uid, clientId, passwordSince = 0, used = [], dialect } = family.doc;
  const issuedAt = await revoke.issueTime(uid, clientId);
  const refreshToken = successorOf(signingKey, family.key, token);
  const next: RefreshTokenDoc = {
    uid,
    clientId,
    passwordSince,
    ...(dialect === undefined ? {} : { dialect }),
    issuedAt,
    expiresAt: issuedAt + refreshLifeMs,
    current: digest(refreshToken),
    used: [...used.filter(isRecent), { token: digest(token), at: Date.now() }].slice(-usedKept),
  };
  return { next, refreshToken };
}

// Clocks of replicas differ by less than the grace.
function isRecent({ at }: { at: number }): boolean {
  return !hasPassed(at, graceMs);
}

/** Only who holds the token and the signing key can make it, so it need not be kept to be answered again. */
function successorOf(signingKey: Uint8Array, family: string, token: string): string {
  return `${family}.${createHmac("sha256", signingKey).update(`refresh-token ${token}`).digest("base64url")}`;
}

/** The key of the token's family: a first token is its own. */
function familyOf(token: string): string | undefined {
  const dot = token.indexOf(".");
  const key = dot < 0 ? digest(token) : token.slice(0, dot);
  return /^[0-9a-f]{64}$/.test(key) ? key : undefined;
}

function digest(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
