// parley secrets: passwords and keys of an installation whose servers are containers or machines of their own.
import { resolve } from "node:path";
import { Command } from "commander";
import { UsageError } from "../failure.ts";
import { openOutput } from "../output.ts";

const help = `
FOLDER gets a folder for each reader: parley (PARLEY_SECRETS of every service), one of each service's name (nats-url, redis-url,
store-url: for NATS_URL_FILE, REDIS_URL_FILE, STORE_URL_FILE), operator (for parley itself), and nats, redis, mongo, mosquitto, emqx,
vernemq with what their configurations in deploy/ read. Give each reader its own folder and no other. passwords is read by this
command alone. What is there stays as it is, so it may be run at every start; to change a password, remove its file in passwords.

docker-compose.yml runs this before all else.

Examples:
  $ parley secrets /run/parley --nats nats:4222 --redis redis:6379 --mongo mongo:27017 --hooks auth-webhook:8090`;

type Flags = { nats: string; redis: string; mongo: string; hooks: string; json?: boolean };

export function secretsCommand(): Command {
  return new Command("secrets")
    .argument("<folder>", "where they are, or are made")
    .description("Make the passwords and keys of an installation, for each service and server its own.")
    .requiredOption("--nats <host:port>", "where services reach NATS")
    .requiredOption("--redis <host:port>", "where services reach Redis")
    .requiredOption("--mongo <host:port>", "where services reach MongoDB; its members, with commas between")
    .requiredOption("--hooks <host:port>", "where the broker reaches auth-webhook")
    .option("--json", "the result as JSON instead of text")
    .addHelpText("after", help)
    .action(async (folder: string, { json, ...addresses }: Flags) => {
      for (const [name, address] of Object.entries(addresses)) checkAddress(name, address);
      const { makeSecrets } = await import("../secrets/make-secrets.ts");
      const dir = resolve(folder);
      const files = makeSecrets(dir, addresses);
      openOutput(json === true).result({ dir, files }, `${files.length} files of secrets are in ${dir}`);
    });
}

function checkAddress(name: string, address: string): void {
  const all = name === "mongo" ? address.split(",") : [address];
  if (all.every((one) => /^[\w.-]+:\d{1,5}$/.test(one))) return;
  throw new UsageError(`--${name} ${address}: host:port is needed`);
}
