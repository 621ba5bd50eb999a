// Certificates of a test's own authority, as servers show them and as Apple gives them to who sends to an app.
import { generateKeyPair, randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { promisify } from "node:util";
import forge from "node-forge";

export interface Authority {
  /** its own certificate, in PEM: what a client has to trust */
  ca: string;
  /** A certificate for servers of these names and addresses, the same each time. */
  forServer(hosts: readonly string[]): Promise<Issued>;
  /** A certificate for sending to an app through APNs. */
  forApp(options: AppCertificate): Promise<Issued>;
}

export interface Issued {
  cert: string;
  key: string;
}

export interface AppCertificate {
  topic: string;
  /** which of Apple's environments it is for; both unless said */
  environments?: readonly ("sandbox" | "production")[];
  /** it ended yesterday */
  expired?: true;
}

type Extension = Record<string, unknown>;
interface Wanted {
  subject: { name?: string; shortName?: string; type?: string; value: string }[];
  extensions: Extension[];
  from?: number;
  until?: number;
}

const day = 24 * 3_600_000;
const appleEnvironments = {
  sandbox: "1.2.840.113635.100.6.3.1",
  production: "1.2.840.113635.100.6.3.2",
} as const;
const userId = "0.9.2342.19200300.100.1.1";

/** Makes an authority. Its key, and that of each certificate, takes some tenths of a second. */
async function createAuthority(): Promise<Authority> {
  const name = [{ name: "commonName", value: `Parley's tests ${randomBytes(4).toString("hex")}` }];
  const own = await generateKeys();
  const ca = sign(own.publicKey, own.privateKey, name, {
    subject: name,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, critical: true },
    ],
  });

  async function issue(wanted: Wanted): Promise<Issued> {
    const keys = await generateKeys();
    return { cert: sign(keys.publicKey, own.privateKey, name, wanted), key: keys.privateKey };
  }

  const servers = new Map<string, Promise<Issued>>();
  const issueServer = (hosts: readonly string[]) =>
    issue({
      subject: [{ name: "commonName", value: hosts[0] ?? "" }],
      extensions: [
        { name: "extKeyUsage", serverAuth: true },
        { name: "subjectAltName", altNames: hosts.map(alternative) },
      ],
    });

  return {
    ca,
    forServer(hosts) {
      const key = hosts.join(" ");
      const found = servers.get(key) ?? issueServer(hosts);
      servers.set(key, found);
      return found;
    },
    forApp: ({ topic, environments = ["sandbox", "production"], expired }) =>
      issue({
        subject: [
          { type: userId, value: topic },
          { name: "commonName", value: `Apple Push Services: ${topic}` },
        ],
        extensions: [
          { name: "extKeyUsage", clientAuth: true },
          // Apple's own extensions hold nothing, which is written as ASN.1's NULL.
          ...environments.map((one) => ({ id: appleEnvironments[one], value: "\x05\x00" })),
        ],
        ...(expired && { from: -2 * day, until: -day }),
      }),
  };
}

async function generateKeys(): Promise<{ publicKey: string; privateKey: string }> {
  return promisify(generateKeyPair)("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
}

function alternative(host: string) {
  return isIP(host) === 0 ? { type: 2, value: host } : { type: 7, ip: host };
}

/** Its first byte is neither 0, which DER forbids, nor makes it negative. */
function serialNumber(): string {
  return `4${randomBytes(12).toString("hex").slice(1)}`;
}

function sign(publicKey: string, issuerKey: string, issuer: forge.pki.CertificateField[], wanted: Wanted): string {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = serialNumber();
  certificate.validity.notBefore = new Date(Date.now() + (wanted.from ?? -day));
  certificate.validity.notAfter = new Date(Date.now() + (wanted.until ?? 30 * day));
  certificate.setSubject(wanted.subject);
  certificate.setIssuer(issuer);
  certificate.setExtensions(wanted.extensions);
  certificate.sign(forge.pki.privateKeyFromPem(issuerKey), forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate);
}

let shared: Promise<Authority> | undefined;

/** One authority for all servers of a process: its key takes a while. */
export function testAuthority(): Promise<Authority> {
  shared ??= createAuthority();
  return shared;
}
