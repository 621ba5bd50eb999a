// What a device registers: refused here is what no provider would take, and every address that is not of the public internet.
import { createECDH } from "node:crypto";
import { isIP } from "node:net";
import { AppError, type PushRegistration } from "@parley/protocol";
import { isPublicAddress, type Networks } from "@parley/runtime";
import type { Registration } from "./token.ts";

type Keys = NonNullable<Registration["keys"]>;

const apnsToken = /^(?:[0-9A-Fa-f]{2}){32,100}$/;
/** Apple says no grammar of bundle ids but this [CFBundleIdentifier]. */
const bundleId = /^[0-9A-Za-z.-]{1,128}$/;
/** base64url, and what Firebase puts between its parts. */
const fcmToken = /^[0-9A-Za-z_\-:.%]{16,4096}$/;
/** Names that are never of the public internet [RFC 6761, RFC 6762, RFC 8375]. */
const innerName = /(?:^|\.)(?:localhost|local|internal|home\.arpa|localdomain)\.?$/i;

/** `allowed`: networks that endpoints may be in though they are not public; the names of who allows any are left to who sends. */
export function readRegistration(given: PushRegistration, allowed?: Networks): Registration | AppError {
  const { kind, token, subscription, sandbox = false } = given;
  const language = canonicalLanguage(given.language ?? "en");
  if (language === undefined) return refused("language must be a BCP 47 tag, as en or pt-BR");
  const wrong = kind === "webpush" ? (token ?? sandbox) : subscription;
  if (wrong !== undefined && wrong !== false)
    return refused(
      kind === "webpush" ? "webpush has a subscription and nothing else" : `${kind} has a token, no subscription`,
    );
  if (kind === "webpush") return readSubscription(given, language, allowed);
  if (token === undefined) return refused("token is missing");
  if (given.appId === undefined) return refused("appId is missing: the app's bundle id or application id");
  if (kind === "fcm") {
    if (sandbox) return refused("sandbox is of APNs only");
    if (!fcmToken.test(token))
      return refused("token must be a registration token of Firebase: 16 to 4,096 of A-Z a-z 0-9 _ - : . %");
    return { kind, token, appId: given.appId, language, sandbox };
  }
  if (!apnsToken.test(token))
    return refused("token must be a device token of APNs: 64 to 200 hex digits, an even number of them");
  if (!bundleId.test(given.appId)) return refused("appId must be a bundle id: letters, digits, . and -");
  if (/\.voip$/i.test(given.appId))
    return refused("appId must be the bundle id itself; Parley puts .voip behind it for calls");
  return { kind, token: token.toLowerCase(), appId: given.appId, language, sandbox };
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
