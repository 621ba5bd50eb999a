// User tokens: HS256 with the installation's signing key; `alg` in a token is never believed.
import { randomUUID } from "node:crypto";
import type { Credential } from "@parley/protocol";
import { jwtVerify, SignJWT } from "jose";

/** Life of a token. */
export const tokenLifeMs = 24 * 3_600_000;

/** What a token says, checked. `issuedAt` has milliseconds, so that a revocation cuts exactly. */
export interface TokenClaims extends Credential {
  uid: string;
  clientId: string;
}

/** What a new token is to say; times in unix ms. */
export interface NewToken {
  uid: string;
  clientId: string;
  issuedAt: number;
  expiresAt: number;
  passwordSince: number;
  family: string;
  /** what the device speaks, where it is another protocol than Parley's own */
  dialect?: string;
}

export async function signToken(signingKey: Uint8Array, token: NewToken): Promise<string> {
  const { uid, clientId, issuedAt, expiresAt, passwordSince, family, dialect } = token;
  return new SignJWT({ clientId, passwordSince, family, dialect })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(uid)
    .setJti(randomUUID())
    .setIssuedAt(issuedAt / 1000)
    .setExpirationTime(Math.floor(expiresAt / 1000))
    .sign(signingKey);
}

/** The claims of a token that is ours and has not run out, or undefined. Says nothing about revocations. */
export async function verifyToken(signingKey: Uint8Array, token: string): Promise<TokenClaims | undefined> {
  try {
    const { payload } = await jwtVerify(token, signingKey, {
      algorithms: ["HS256"],
      requiredClaims: ["sub", "clientId", "iat", "exp"],
    });
    const { sub: uid, clientId, iat, passwordSince = 0, family } = payload;
    if (typeof uid !== "string" || typeof clientId !== "string" || typeof iat !== "number") return undefined;
    if (typeof passwordSince !== "number" || !(family === undefined || typeof family === "string")) return undefined;
    return { uid, clientId, issuedAt: iat, passwordSince, family };
  } catch {
    return undefined;
  }
}
