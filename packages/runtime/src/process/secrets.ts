// The secrets of an installation: made at first start, the same for every service that reads the folder.
import { randomBytes } from "node:crypto";
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** signingKey signs tokens; servicesSecret is the services' broker password; hookSecret is what a broker shows with its hooks. */
export interface Secrets {
  signingKey: Buffer;
  servicesSecret: string;
  hookSecret: string;
}

/** The files of the folder, and what each is for. Those of NATS and Redis are read by who starts these; services have URLs. */
export const secretFiles = {
  "signing-key": "signs the tokens of api, checked by auth-webhook and api (32 bytes)",
  "services-secret":
    "the services' password at the broker, and what opens the edge's admin port and API keys (Authorization: Bearer)",
  "hook-secret": "what the broker shows auth-webhook with its hooks, as part of their path",
  "vapid-key": "what push proves with to the push services of browsers who it is, unless PUSH_VAPID_KEY is set",
  "nats-secret": "the password of NATS that `npm start` sets; services are told it in NATS_URL",
  "redis-secret": "the password of Redis that `npm start` sets; services are told it in REDIS_URL",
} as const;

const secretBytes = 32;
/** What a secret that is a text looks like. */
export const secretTextPattern = /^[0-9A-Za-z_-]{32,128}$/;

/** A secret that cannot be read or is not one; the message names the file and what to do. */
export class SecretsError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SecretsError";
  }
}

/** Reads the secrets of `folder` and makes those that are missing (0600). Processes that do so at once agree. */
export function readSecrets(folder: string): Secrets {
  makeFolder(folder);
  const signingKey = readOrMake(join(folder, "signing-key"), () => randomBytes(secretBytes));
  if (signingKey.length !== secretBytes) {
    const what = `${signingKey.length} bytes long instead of ${secretBytes}`;
    throw damaged(join(folder, "signing-key"), what, "made (tokens and sessions end)");
  }
  return {
    signingKey,
    servicesSecret: readText(join(folder, "services-secret")),
    hookSecret: readText(join(folder, "hook-secret")),
  };
}

/** One more secret of the folder, a text, made in the same way: what only one program needs has no place in `Secrets`. */
export function readSecretText(folder: string, name: keyof typeof secretFiles): string {
  return readOrMakeText(join(folder, name));
}

/** A secret of another folder than PARLEY_SECRETS, a text, made in the same way where it is missing. */
export function readOrMakeText(file: string): string {
  makeFolder(dirname(file));
  return readText(file);
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw unreadable(folder, "make the folder", cause);
  }
}

function readText(file: string): string {
  const text = readOrMake(file, () => Buffer.from(randomBytes(secretBytes).toString("base64url")))
    .toString()
    .trim();
  if (!secretTextPattern.test(text))
    throw damaged(file, "not 32 to 128 of A-Z a-z 0-9 _ -", "made, and start all again");
  return text;
}

function readOrMake(file: string, make: () => Buffer): Buffer {
  const found = read(file);
  if (found) return found;
  // Written aside and linked: nobody ever reads half a secret, and the first link wins.
  const aside = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    writeFileSync(aside, make(), { mode: 0o600, flag: "wx", flush: true });
    chmodSync(aside, 0o600);
    linkSync(aside, file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw unreadable(file, "make", cause);
  } finally {
    rmSync(aside, { force: true });
  }
  const made = read(file);
  if (!made) throw unreadable(file, "read", undefined);
  return made;
}

function read(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unreadable(file, "read", cause);
  }
}

function unreadable(path: string, verb: string, cause: unknown): SecretsError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  const reason = code === "EACCES" || code === "EPERM" ? "permission denied" : (code ?? "it vanished");
  return new SecretsError(`cannot ${verb} ${path}: ${reason}`, { cause });
}

function damaged(file: string, what: string, made: string): SecretsError {
  return new SecretsError(`${file} is ${what}; restore it, or remove it to have a new one ${made}`);
}
