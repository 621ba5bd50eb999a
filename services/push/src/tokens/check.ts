// What a device registers: refused here is what no provider would take, and every address that is not of the public internet.
import { createECDH } from "node:crypto";
import { isIP } from "node:net";
import { AppError, type PushRegistration } from "@parley/protocol";
import { isPublicAddress, type Networks } from "@parley/runtime";
import type { Registration } from "./token.ts";

/** Firebase is not told the app: a token says it. */
const fcmApp = "app";

type Keys = NonNullable<Registration["keys"]>;

const apnsToken = /^(?:[0-9A-Fa-f]{2}){32,100}$/;
/** Apple says no grammar of bundle ids but this [CFBundleIdentifier]. */
const bundleId = /^[0-9A-Za-z.-]{1,128}$/;
/** base64url, and what Firebase puts between its parts. */
const fcmToken = /^[0-9A-Za-z_\-:.%]{16,4096}$/;
/** Names that are never of the public internet [RFC 6761, RFC 6762, RFC 8375]. */
const innerName = /(?:^|\.)(?:localhost|local|internal|home\.arpa|localdomain)\.?$/i;

export interface Defaults {
  /** of who says no app */
  appId?: string | undefined;
  /** networks that endpoints may be in though they are not public; the names of who allows any are left to who sends */
  allowed?: Networks | undefined;
}

export function readRegistration(given: PushRegistration, defaults: Defaults = {}): Registration | AppError {
  const { kind, token, subscription, sandbox = false } = given;
  const language = canonicalLanguage(given.language ?? "en");
  if (language === undefined) return refused("language must be a BCP 47 tag, as en or pt-BR");
  if (kind === "webpush") {
    if (token !== undefined || sandbox) return refused("webpush has a subscription and nothing else");
    return readSubscription(given, language, defaults.allowed);
  }
  if (subscription !== undefined) return refused(`${kind} has a token, no subscription`);
  if (token === undefined) return refused("token is missing");
  const appId = given.appId ?? defaults.appId ?? (kind === "fcm" ? fcmApp : undefined);
  // No mistake of the device: its protocol may have no word for it.
  if (appId === undefined)
    return new AppError("forbidden", "appId is missing, and this server knows no app by itself (PUSH_APP_ID)");
  const wrong = kind === "fcm" ? wrongWithFcm(token, sandbox) : wrongWithApns(token, appId);
  if (wrong !== undefined) return refused(wrong);
  return { kind, token: kind === "fcm" ? token : token.toLowerCase(), appId, language, sandbox };
}

function wrongWithFcm(token: string, sandbox: boolean): string | undefined {
  if (sandbox) return "sandbox is of APNs only";
  if (fcmToken.test(token)) return undefined;
  return "token must be a registration token of Firebase: 16 to 4,096 of A-Z a-z 0-9 _ - : . %";
}

function wrongWithApns(token: string, appId: string): string | undefined {
  if (!apnsToken.test(token))
    return "token must be a device token of APNs: 64 to 200 hex digits, an even number of them";
  if (!bundleId.test(appId)) return "appId must be a bundle id: letters, digits, . and -";
  if (/\.voip$/i.test(appId)) return "appId must be the bundle id itself; Parley puts .voip behind it for calls";
  return undefined;
}

function readSubscription(
  { subscription, appId = "web" }: PushRegistration,
  language: string,
  allowed: Networks | undefined,
): Registration | AppError {
  if (subscription === undefined) return refused("subscription is missing");
  const endpoint = readEndpoint(subscription.endpoint, allowed);
  if (endpoint instanceof AppError) return endpoint;
  const keys = readKeys(subscription.keys);
  if (keys instanceof AppError) return keys;
  return { kind: "webpush", token: endpoint, keys, appId, language, sandbox: false };
}

/** Who sends checks again what a name leads to; here is refused what no name could mend. */
function readEndpoint(text: string, allowed: Networks | undefined): string | AppError {
  if (!URL.canParse(text)) return refused("subscription.endpoint is no URL");
  const url = new URL(text);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (url.protocol !== "https:") return refused("subscription.endpoint must be https:");
  if (url.username !== "" || url.password !== "") return refused("subscription.endpoint must hold no password");
  const isName = isIP(host) === 0;
  const isOuter = isName ? host.includes(".") && !innerName.test(host) : isPublicAddress(host);
  if (!isOuter && !(isName ? allowed : allowed?.includes(host)))
    return refused("subscription.endpoint must be of the public internet");
  url.hash = "";
  return url.href.length > 2_048 ? refused("subscription.endpoint is longer than 2,048 characters") : url.href;
}

function readKeys({ p256dh, auth }: Keys): Keys | AppError {
  const [point, secret] = [bytesOf(p256dh), bytesOf(auth)];
  if (point === undefined || !isPoint(point))
    return refused("subscription.keys.p256dh must be 65 bytes as base64url: an uncompressed point on P-256");
  if (secret?.length !== 16) return refused("subscription.keys.auth must be 16 bytes as base64url");
  return { p256dh: point.toString("base64url"), auth: secret.toString("base64url") };
}

/** Padded, and in the other alphabet of Base64 too. */
function bytesOf(text: string): Buffer | undefined {
  return /^[0-9A-Za-z_\-+/]+={0,2}$/.test(text) ? Buffer.from(text, "base64url") : undefined;
}

function isPoint(bytes: Buffer): boolean {
  if (bytes.length !== 65 || bytes[0] !== 4) return false;
  const ours = createECDH("prime256v1");
  ours.generateKeys();
  try {
    ours.computeSecret(bytes);
    return true;
  } catch {
    return false;
  }
}

function canonicalLanguage(text: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(text)[0];
  } catch {
    return undefined;
  }
}

function refused(message: string): AppError {
  return new AppError("invalid_packet", message);
}
