// User tokens: HS256 with the installation's signing key; `alg` in a token is never believed.
import { randomUUID } from "node:crypto";
import { jwtVerify, SignJWT } from "jose";

/** Life of a token. */
export const tokenLifeMs = 24 * 3_600_000;

/** What a token says, checked: unix seconds; `iat` has milliseconds, so that a revocation cuts exactly. */
export interface TokenClaims {
  uid: string;
  clientId: string;
  iat: number;
}

export async function signToken(
  signingKey: Uint8Array,
  { uid, clientId, issuedAt, expiresAt }: { uid: string; clientId: string; issuedAt: number; expiresAt: number },
): Promise<string> {
  return new SignJWT({ clientId })
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
    const { sub: uid, clientId, iat } = payload;
    if (typeof uid !== "string" || typeof clientId !== "string" || typeof iat !== "number") return undefined;
    return { uid, clientId, iat };
  } catch {
    return undefined;
  }
}
