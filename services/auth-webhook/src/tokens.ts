// Verifies tokens: HS256 or EdDSA as configured, and an external issuer's by its JWKS. A token's `alg` is never believed.
import { createPrivateKey, createPublicKey, hash, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { AppError, type Credential } from "@parley/protocol";
import { type Logger, upTo } from "@parley/runtime";
import { createRemoteJWKSet, decodeJwt, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from "jose";
import { LRUCache } from "lru-cache";
import type { AuthWebhookConfig } from "./config.ts";

/** What a valid token says. Times are unix seconds. An external issuer's names no client id: any device of the user. */
export interface TokenClaims extends Credential {
  sub: string;
  exp: number;
  /** an external issuer signed it: its user is made at the first connect */
  external: boolean;
  /** what the device speaks, where it is another protocol than Parley's own */
  dialect: string | undefined;
}

export type TokenRefusal = "invalid_token" | "expired" | "issuer_unavailable";

export interface Tokens {
  /** Also of one that has run out at most `graceSeconds` ago: its `exp` says so. */
  verify(token: string, graceSeconds: number): Promise<TokenClaims | TokenRefusal>;
}

type Verify = (token: string) => Promise<JWTPayload>;

const rememberedTokens = 50_000;
const tokenBytes = 4096;

/** Three base64url parts of which the first is a JSON object: a token, and never tried as a password. */
export function looksLikeToken(text: string): boolean {
  return /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/.test(text);
}

/** Throws AppError `unavailable` when the settings name a key that cannot be had. */
export async function openTokens(config: AuthWebhookConfig, signingKey: () => Buffer, log: Logger): Promise<Tokens> {
  const own = await ownTokens(config, signingKey);
  const external = externalTokens(config);
  const known = new LRUCache<string, TokenClaims>(upTo(rememberedTokens));
  return {
    async verify(token, graceSeconds) {
      const isOver = (claims: TokenClaims) => claims.exp + (claims.external ? 0 : graceSeconds) <= Date.now() / 1000;
      if (token.length > tokenBytes) return "invalid_token";
      const key = hash("sha256", token, "base64");
      const remembered = known.get(key);
      if (remembered) return isOver(remembered) ? "expired" : remembered;
      const isExternal = external !== undefined && issuerOf(token) === config.AUTH_WEBHOOK_ISSUER;
      try {
        const claims = readClaims(await (isExternal ? external : own)(token).catch(expiredPayload), isExternal);
        if (claims) known.set(key, claims);
        if (claims && isOver(claims)) return "expired";
        return claims ?? "invalid_token";
      } catch (error) {
        return refusalOf(error, log);
      }
    },
  };
}

/** Of a token of which nothing is wrong but its time. */
function expiredPayload(error: unknown): JWTPayload {
  if (error instanceof errors.JWTExpired && error.claim === "exp") return error.payload;
  throw error;
}

async function ownTokens(config: AuthWebhookConfig, signingKey: () => Buffer): Promise<Verify> {
  if (config.AUTH_WEBHOOK_TOKEN_ALG === "HS256") {
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", new Uint8Array(signingKey()), algorithm, false, ["verify"]);
    return async (token) => (await jwtVerify(token, key, { algorithms: ["HS256"] })).payload;
  }
  const file = config.AUTH_WEBHOOK_TOKEN_PUBLIC_KEY;
  const key = file === undefined ? ed25519FromSeed(signingKey()) : readPublicKey(file);
  return async (token) => (await jwtVerify(token, key, { algorithms: ["EdDSA"] })).payload;
}

function externalTokens(config: AuthWebhookConfig): Verify | undefined {
  const { AUTH_WEBHOOK_JWKS_URL: url, AUTH_WEBHOOK_ISSUER: issuer, AUTH_WEBHOOK_AUDIENCE: audience } = config;
  if (url === undefined) return undefined;
  if (issuer === undefined) throw new AppError("unavailable", "AUTH_WEBHOOK_JWKS_URL needs AUTH_WEBHOOK_ISSUER");
  const keys = createRemoteJWKSet(new URL(url), { timeoutDuration: 2000 });
  const options: JWTVerifyOptions = { algorithms: [config.AUTH_WEBHOOK_JWKS_ALG], issuer };
  if (audience !== undefined) options.audience = audience;
  return async (token) => (await jwtVerify(token, keys, options)).payload;
}

/** RFC 8410: an Ed25519 private key is its 32-byte seed behind this prefix. */
function ed25519FromSeed(seed: Buffer): KeyObject {
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex");
  const privateKey = createPrivateKey({ key: Buffer.concat([prefix, seed]), format: "der", type: "pkcs8" });
  return createPublicKey(privateKey);
}

function readPublicKey(file: string): KeyObject {
  try {
    return createPublicKey(readFileSync(file));
  } catch (cause) {
    throw new AppError("unavailable", "AUTH_WEBHOOK_TOKEN_PUBLIC_KEY names no readable PEM public key", { cause });
  }
}

/** Only chooses who verifies; what it says is checked there. */
function issuerOf(token: string): unknown {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

function readClaims(payload: JWTPayload, external: boolean): TokenClaims | undefined {
  const { sub, clientId, iat: issuedAt = 0, exp, dialect } = payload;
  if (typeof sub !== "string" || typeof exp !== "number") return undefined;
  if (clientId !== undefined ? typeof clientId !== "string" : !external) return undefined;
  if (!(dialect === undefined || typeof dialect === "string")) return undefined;
  // What an issuer says of passwords and logins is not about ours.
  const { passwordSince = 0, family } = external ? {} : payload;
  if (typeof passwordSince !== "number" || !(family === undefined || typeof family === "string")) return undefined;
  const own = { passwordSince: external ? undefined : passwordSince, family };
  return { sub, clientId: clientId as string | undefined, issuedAt, exp, external, dialect, ...own };
}

function refusalOf(error: unknown, log: Logger): TokenRefusal {
  const cannotAsk = error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid;
  // fetch fails with a TypeError, an error status with a plain JOSEError.
  if (!cannotAsk && error instanceof errors.JOSEError && error.code !== "ERR_JOSE_GENERIC") return "invalid_token";
  log.warn({ event: "issuer_unavailable", reason: error instanceof Error ? error.message : String(error) });
  return "issuer_unavailable";
}
