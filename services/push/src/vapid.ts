// The key pair by which push services of browsers know us [RFC 8292]. Subscriptions are bound to it: another one ends them all.
import { createECDH } from "node:crypto";

export interface VapidKeys {
  /** base64url of 32 bytes */
  privateKey: string;
  /** base64url of 65 bytes: browsers subscribe with it */
  publicKey: string;
}

/** `where`: the file or setting that holds it. Throws a RangeError that names it, never the key. */
export function readVapidKeys(privateKey: string, where: string): VapidKeys {
  const bytes = Buffer.from(privateKey, "base64url");
  const pair = createECDH("prime256v1");
  try {
    if (bytes.length !== 32) throw new RangeError("of another length");
    pair.setPrivateKey(bytes);
  } catch (cause) {
    throw new RangeError(`${where} is no private key of P-256: 32 bytes as base64url, as \`web-push\` makes them`, {
      cause,
    });
  }
  return { privateKey: bytes.toString("base64url"), publicKey: pair.getPublicKey().toString("base64url") };
}
