// What is kept of a token that a device is notified by, and the key that makes a token one document.
import { createHash } from "node:crypto";
import type { PushProvider, TokenKind } from "@parley/protocol";

/** By `keyOf`: whose a token is, is one write. */
export interface TokenDoc {
  /** whom it tells */
  uid: string;
  /** whose device it is: `uid`, or of the accounts of one login the one that the device is connected as */
  owner: string;
  clientId: string;
  kind: TokenKind;
  /** of `webpush` its endpoint */
  token: string;
  /** of `webpush`, base64url */
  keys?: { p256dh: string; auth: string };
  appId: string;
  /** BCP 47, in its canonical spelling */
  language: string;
  /** of APNs: of Apple's development environment */
  sandbox: boolean;
  /** unix ms: the last time; grows with each one that a device registers */
  registeredAt: number;
  /** with what the device was logged in when it registered: by it a revocation ends this too */
  credential: TokenCredential;
}

export interface TokenCredential {
  /** unix s: of the device's token, else about when its connection began */
  issuedAt: number;
  /** absent: not known, or an external issuer's token */
  passwordSince?: number;
  /** the login that the token came from; absent: there was none, or it is not known */
  family?: string;
}

/** With its key, which jobs name. */
export interface PushToken extends TokenDoc {
  key: string;
}

/** What a device registers, once it is checked. */
export type Registration = Pick<TokenDoc, "kind" | "token" | "keys" | "appId" | "language" | "sandbox">;

/** Apple's tokens are an app's. Firebase's tokens and endpoints name one installation by themselves, whatever the app is called. */
export function keyOf({ kind, appId, token }: Pick<TokenDoc, "kind" | "appId" | "token">): string {
  const app = providerOf(kind) === "apns" ? appId : "";
  return createHash("sha256")
    .update(JSON.stringify([kind, app, token]))
    .digest("base64url");
}

export function providerOf(kind: TokenKind): PushProvider {
  return kind === "apns-voip" ? "apns" : kind;
}

/** A device has one token in each place; a newer one takes the earlier's. */
function placeOf({ uid, clientId, kind, appId }: TokenDoc): string {
  return JSON.stringify([uid, clientId, kind, appId]);
}

/** Those that others have taken the place of: who died while it registered may have left some. */
export function overtaken<Token extends TokenDoc>(tokens: readonly Token[]): Token[] {
  const newest = new Map<string, Token>();
  for (const token of tokens) {
    const other = newest.get(placeOf(token));
    if (!other || other.registeredAt < token.registeredAt) newest.set(placeOf(token), token);
  }
  return tokens.filter((token) => newest.get(placeOf(token)) !== token);
}
