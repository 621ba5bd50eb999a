// What a browser does with a push message: aes128gcm for Web Push, one record [RFC 8188, 8291].
import { createDecipheriv, createECDH, hkdfSync } from "node:crypto";

/** Who a subscription was made for. */
export interface Receiver {
  privateKey: Buffer;
  publicKey: Buffer;
  authSecret: Buffer;
}

const headerBytes = 21;
const tagBytes = 16;
const lastRecord = 2;

/** The plain text. Throws where it was not encrypted for this receiver, or not as one record. */
export function decrypt(body: Buffer, { privateKey, publicKey, authSecret }: Receiver): string {
  const [salt, recordBytes, idBytes] = [body.subarray(0, 16), body.readUInt32BE(16), body.readUInt8(20)];
  const senderKey = body.subarray(headerBytes, headerBytes + idBytes);
  const record = body.subarray(headerBytes + idBytes);
  if (record.length > recordBytes) throw new Error("several records, where RFC 8291 allows one");
  const ours = createECDH("prime256v1");
  ours.setPrivateKey(privateKey);
  const info = Buffer.concat([Buffer.from("WebPush: info\0"), publicKey, senderKey]);
  const secret = expand(ours.computeSecret(senderKey), authSecret, info, 32);
  const key = expand(secret, salt, Buffer.from("Content-Encoding: aes128gcm\0"), 16);
  const nonce = expand(secret, salt, Buffer.from("Content-Encoding: nonce\0"), 12);
  const decipher = createDecipheriv("aes-128-gcm", key, nonce);
  decipher.setAuthTag(record.subarray(-tagBytes));
  const padded = Buffer.concat([decipher.update(record.subarray(0, -tagBytes)), decipher.final()]);
  const end = padded.findLastIndex((byte) => byte !== 0);
  if (padded[end] !== lastRecord) throw new Error("the padding does not end the last record");
  return padded.subarray(0, end).toString();
}

function expand(input: Buffer, salt: Buffer, info: Buffer, length: number): Buffer {
  return Buffer.from(hkdfSync("sha256", input, salt, info, length));
}
