// The secrets of an installation whose servers are machines or containers of their own: a folder a reader, so that each is given what is
// its own. What is there stays; what is missing is made.
import { chmodSync, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { passwordLine, readOrMakeText, readSecrets, readSecretText, SecretsError, secretFiles } from "@parley/runtime";
import { type AddressedServer, addressFiles, readers } from "./readers.ts";

/** `host:port` of each, of auth-webhook too (`hooks`); of MongoDB several, with commas between. */
export type ServerAddresses = Record<"nats" | "redis" | "mongo" | "hooks", string>;

// All that services share, made now: none of them may write into the folder. NATS and Redis have passwords of their own here.
const sharedTexts = (Object.keys(secretFiles) as (keyof typeof secretFiles)[]).filter(
  (name) => !["signing-key", "nats-secret", "redis-secret"].includes(name),
);

const readable = { folder: 0o755, file: 0o644 };

/** Makes or completes the folder; answers the paths of what is in it, for readers. Throws a SecretsError. */
export function makeSecrets(folder: string, addresses: ServerAddresses): string[] {
  const { hooks } = addresses;
  // Where the passwords are kept, each once; nobody but this command reads it.
  const passwords = join(folder, "passwords");
  const password = (name: string) => readOrMakeText(join(passwords, name));
  const shared = join(folder, "parley");
  for (const one of [folder, passwords, shared]) refuseFile(one);
  const { servicesSecret, hookSecret } = readSecrets(shared);
  for (const name of sharedTexts) readSecretText(shared, name);
  const vernemqKey = hex(password("broker-api"));
  const apiKey = `parley:${password("broker-api")}`;
  const files: Record<string, string> = {
    ...addressesOfReaders(addresses, password),
    "presence/emqx-api-key": apiKey,
    // 32 random bytes, which are a private key of P-256.
    "push/vapid-key": password("push-vapid"),
    "presence/vernemq-api-key": vernemqKey,
    "nats/passwords.conf": lines(
      Object.keys(readers).map((name) => `password-of-${name}: "${password(`nats-${name}`)}"`),
    ),
    "redis/password.conf": lines([`requirepass ${password("redis")}`]),
    "mongo/root-password": password("mongo-root"),
    "mongo/parley-password": password("mongo-parley"),
    // mongod takes the letters of base64 alone, and a cookie of Erlang may not begin with a dash.
    "mongo/keyfile": lines([hex(password("mongo-members"))]),
    "mosquitto/passwords": lines([passwordLine("parley", servicesSecret)]),
    "emqx/api-keys": lines([`${apiKey}:administrator`]),
    "emqx/environment": lines(emqxEnvironment(hookSecret, password)),
    // Named as deploy/vernemq/vernemq.conf names them.
    "vernemq/vernemq-hooks-url": lines([`http://${hooks}/vernemq/${hookSecret}`]),
    "vernemq/vernemq-register-url": lines([`http://${hooks}/vernemq/${hookSecret}/register`]),
    "vernemq/vernemq-cookie": lines([hex(password("broker-cookie"))]),
    "vernemq/vernemq-api-key": lines([vernemqKey]),
  };
  for (const [path, text] of Object.entries(files)) write(join(folder, path), text);
  return [...Object.keys(files), ...["signing-key", ...sharedTexts].map((name) => `parley/${name}`)];
}

function refuseFile(folder: string): void {
  if (!statSync(folder, { throwIfNoEntry: false })?.isFile()) return;
  throw new SecretsError(`${folder} is a file, where a folder is needed: remove it, or name another folder`);
}

function addressesOfReaders(
  { nats, redis, mongo }: ServerAddresses,
  password: (name: string) => string,
): Record<string, string> {
  const addressOf = (reader: string): Record<AddressedServer, () => string> => ({
    nats: () => `nats://${reader}:${password(`nats-${reader}`)}@${nats}`,
    redis: () => `redis://:${password("redis")}@${redis}`,
    store: () => `mongodb://parley:${password("mongo-parley")}@${mongo}/parley?replicaSet=parley`,
  });
  const all = Object.entries(readers).flatMap(([reader, servers]) =>
    servers.map((server) => [`${reader}/${addressFiles[server]}`, addressOf(reader)[server]()] as const),
  );
  return Object.fromEntries(all);
}

// What deploy/emqx/emqx.conf leaves to the environment, for a shell to read.
function emqxEnvironment(hookSecret: string, password: (name: string) => string): string[] {
  const headers = `'{content-type = "application/json", authorization = "Bearer ${hookSecret}"}'`;
  return [
    `export EMQX_NODE__COOKIE='${hex(password("broker-cookie"))}'`,
    `export EMQX_DASHBOARD__DEFAULT_PASSWORD='${password("emqx-dashboard")}'`,
    `export EMQX_AUTHENTICATION__1__HEADERS=${headers}`,
    `export EMQX_CONNECTORS__HTTP__PARLEY__HEADERS=${headers}`,
  ];
}

// Read by servers that run as users of their own; what keeps others away is that the folder is given to its reader alone.
function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  chmodSync(dirname(file), readable.folder);
  writeFileSync(`${file}.new`, text, { mode: readable.file });
  chmodSync(`${file}.new`, readable.file);
  renameSync(`${file}.new`, file);
}

function hex(password: string): string {
  return Buffer.from(password).toString("hex");
}

function lines(all: readonly string[]): string {
  return `${all.join("\n")}\n`;
}
