// Files of keys and certificates that settings name: read at the start, each problem told by the name of its setting.
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

/** What is wrong with a setting. Names the setting and the file, and says nothing of what stands in it. */
export class KeyFileError extends Error {
  constructor(setting: string, file: string, what: string) {
    super(`${setting}: ${file} ${what}`);
    this.name = "KeyFileError";
  }
}

const fileBytesMax = 64 * 1024;

function read(setting: string, file: string): string {
  try {
    const text = readFileSync(file, "utf8");
    if (text.length > fileBytesMax) throw new KeyFileError(setting, file, "is too large");
    return text;
  } catch (error) {
    if (error instanceof KeyFileError) throw error;
    throw new KeyFileError(setting, file, `cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`);
  }
}

/** The key that signs tokens for APNs: P-256, in PKCS #8. */
export function readSigningKey(setting: string, file: string): string {
  const text = read(setting, file);
  const key = privateKey(text);
  if (key?.asymmetricKeyType !== "ec" || key.asymmetricKeyDetails?.namedCurve !== "prime256v1")
    throw new KeyFileError(setting, file, "is no key for APNs: Apple gives one to download as AuthKey_….p8");
  return text;
}

/** `environments`: those of Apple's that it is good for. */
export interface AppCertificateFiles {
  cert: string;
  key: string;
  environments: { production: boolean; sandbox: boolean };
}

/** Extensions by which Apple says what a certificate is for, as they stand in it (DER). */
const forSandbox = Buffer.from("060a2a864886f76364060301", "hex");
const forProduction = Buffer.from("060a2a864886f76364060302", "hex");

export function readAppCertificate(
  setting: string,
  file: string,
  keySetting: string,
  keyFile: string,
): AppCertificateFiles {
  const cert = read(setting, file);
  const parsed = certificate(cert);
  if (parsed === undefined) throw new KeyFileError(setting, file, "is no certificate (PEM)");
  if (Date.parse(parsed.validTo) < Date.now())
    throw new KeyFileError(setting, file, `has expired on ${new Date(parsed.validTo).toISOString().slice(0, 10)}`);
  const environments = { production: parsed.raw.includes(forProduction), sandbox: parsed.raw.includes(forSandbox) };
  if (!environments.production && !environments.sandbox)
    throw new KeyFileError(setting, file, "is no certificate of Apple's for push notifications");
  const key = read(keySetting, keyFile);
  const parsedKey = privateKey(key);
  if (parsedKey === undefined)
    throw new KeyFileError(keySetting, keyFile, "is no private key (PEM) without a password");
  if (!parsed.checkPrivateKey(parsedKey))
    throw new KeyFileError(keySetting, keyFile, `is not the key of the certificate ${file}`);
  return { cert, key, environments };
}
export interface ServiceAccount {
  projectId: string;
  clientEmail: string;
  privateKeyId?: string;
  privateKey: string;
}

export function readServiceAccount(setting: string, file: string): ServiceAccount {
  const { type, project_id: projectId, client_email: clientEmail, private_key: key, ...rest } = parse(setting, file);
  const isAccount = [projectId, clientEmail, key].every((one) => typeof one === "string" && one !== "");
  if (type !== "service_account" || !isAccount)
    throw new KeyFileError(setting, file, "is no key of a service account: the Firebase console gives one as JSON");
  if (privateKey(String(key)) === undefined)
    throw new KeyFileError(setting, file, "holds no private key that can be read");
  const { private_key_id: keyId } = rest;
  return {
    projectId: String(projectId),
    clientEmail: String(clientEmail),
    privateKey: String(key),
    ...(typeof keyId === "string" && { privateKeyId: keyId }),
  };
}

function parse(setting: string, file: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(read(setting, file));
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : {};
  } catch (error) {
    if (error instanceof KeyFileError) throw error;
    throw new KeyFileError(setting, file, "is no JSON");
  }
}

export function readAuthorities(setting: string, file: string): string {
  const text = read(setting, file);
  if (certificate(text) === undefined) throw new KeyFileError(setting, file, "is no certificate (PEM)");
  return text;
}

function privateKey(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    return undefined;
  }
}

function certificate(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text);
  } catch {
    return undefined;
  }
}
