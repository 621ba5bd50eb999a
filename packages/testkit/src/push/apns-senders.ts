// Who may send through the local APNs: keys that sign tokens, or certificates of apps.
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http2";
import { jwtVerify } from "jose";
import type { ApnsRefusal } from "./apns-rules.ts";
import { type AppCertificate, testAuthority } from "./certificates.ts";
import type { Write } from "./folder.ts";

/** Who is let in: by tokens that this key signed, for these apps; or by a client certificate, which the connection shows. */
export type ApnsSenders = { key: ApnsKey; topics: readonly string[] } | { certificates: true };

export interface ApnsKey {
  keyId: string;
  teamId: string;
  publicKey: KeyObject;
}

/** Apple takes a token for an hour after it was signed. */
const tokenSeconds = 3600;
const key = { keyId: "KEY1234567", teamId: "TEAM123456" };

/** A key as Apple gives it, and the settings of push that name it. */
export async function makeKey(write: Write, topics: readonly string[]) {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const p8 = String(privateKey.export({ type: "pkcs8", format: "pem" }));
  const settings = {
    PUSH_APNS_KEY_FILE: await write("AuthKey.p8", p8),
    PUSH_APNS_KEY_ID: key.keyId,
    PUSH_APNS_TEAM_ID: key.teamId,
  };
  return { settings, senders: { key: { ...key, publicKey }, topics } satisfies ApnsSenders };
}

/** A certificate for sending to one app, and the settings of push that name it. */
export async function makeCertificate(write: Write, wanted: AppCertificate) {
  const { forApp } = await testAuthority();
  const { cert, key: privateKey } = await forApp(wanted);
  const settings = {
    PUSH_APNS_CERTIFICATE_FILE: await write("app.pem", cert),
    PUSH_APNS_CERTIFICATE_KEY_FILE: await write("app.key", privateKey),
  };
  return { settings, senders: { certificates: true } satisfies ApnsSenders };
}

/** Says who is refused, and for what. `certified`: the app of the certificate that the connection showed, if it did. */
export function openGate(senders: ApnsSenders) {
  // A signature is looked at once: a sender shows the same token for 20 minutes at least.
  const judged = new Map<string, Promise<{ issuedAt: number } | undefined>>();

  async function judgeToken(authorization: string | undefined, by: ApnsKey): Promise<ApnsRefusal | undefined> {
    const token = /^bearer (\S+)$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) return refused("MissingProviderToken");
    const found = judged.get(token) ?? verify(token, by);
    judged.set(token, found);
    const verdict = await found;
    if (!verdict) return refused("InvalidProviderToken");
    return Date.now() / 1000 - verdict.issuedAt > tokenSeconds ? refused("ExpiredProviderToken") : undefined;
  }

  return {
    /** how many different tokens were shown */
    tokens: () => judged.size,
    async judge(headers: IncomingHttpHeaders, certified: string | undefined): Promise<ApnsRefusal | undefined> {
      const topic = String(headers["apns-topic"] ?? "").replace(/\.voip$/, "");
      if ("certificates" in senders) {
        if (certified === undefined) return refused("MissingProviderToken");
        return topic === certified ? undefined : { status: 400, reason: "TopicDisallowed" };
      }
      const refusal = await judgeToken(headers.authorization, senders.key);
      if (refusal || topic === "" || senders.topics.includes(topic)) return refusal;
      return { status: 400, reason: "TopicDisallowed" };
    },
  };
}

async function verify(token: string, { keyId, teamId, publicKey }: ApnsKey): Promise<{ issuedAt: number } | undefined> {
  try {
    const options = { algorithms: ["ES256"], issuer: teamId, requiredClaims: ["iat"] };
    const { payload, protectedHeader } = await jwtVerify(token, publicKey, options);
    return protectedHeader.kid === keyId && payload.iat !== undefined ? { issuedAt: payload.iat } : undefined;
  } catch {
    return undefined;
  }
}

function refused(reason: string): ApnsRefusal {
  return { status: 403, reason };
}
