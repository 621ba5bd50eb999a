// parley broker: the broker of production configured as Parley needs it, and asked whether it keeps what it has to.
import { join } from "node:path";
import { secretTextPattern } from "@parley/runtime";
import { Command } from "commander";
import { openAdminApi } from "../broker/setup/admin-api.ts";
import { emqxSetup } from "../broker/setup/emqx.ts";
import { runSetup } from "../broker/setup/run-setup.ts";
import { vernemqSetup } from "../broker/setup/vernemq.ts";
import { UsageError } from "../failure.ts";
import { openOutput } from "../output.ts";
import { firstLineOf, serverKeyOf } from "../password.ts";
import { findServer } from "../server.ts";

const setupHelp = `
KIND is emqx or vernemq, URL where its HTTP API is (EMQX: port 18083, VerneMQ: port 8888). What it has to be is in
deploy/emqx/emqx.conf and deploy/vernemq/vernemq.conf, with the reason above each setting. It is read, mended where
it differs, and read again. With --check nothing is changed. The exit code is 0 only when all is as it has to be; a
broker that lets in anybody is named as open.

The key of the API is the first line of a file or in PARLEY_BROKER_API_KEY: of EMQX KEY:SECRET, of VerneMQ the key.
The hooks' secret is Parley's own (hook-secret in PARLEY_SECRETS, or --hook-secret-file).

Examples:
  $ parley broker setup emqx http://emqx:18083 --key-file api-key.txt --hooks http://auth-webhook:8090
  $ parley broker setup vernemq http://vernemq:8888 --key-file api-key.txt --hooks http://auth-webhook:8090 --check`;

const checkHelp = `
Each URL is where devices connect: mqtt://, mqtts://, ws:// or wss://…/mqtt. Two people talk through each of them, by
MQTT 3.1.1 and 5, and try what must not be: a wrong password, another's topics, another's client id, shared and wild
filters, Wills, retained packets. The people are made with a server key, and their accounts are removed at the end.
The exit code is 0 only when all of it holds.

Examples:
  $ parley broker check mqtt://chat.example:1883 wss://chat.example/mqtt --server https://chat.example --key-file server-key.txt`;

interface SetupFlags {
  hooks: string;
  keyFile?: string;
  hookSecretFile?: string;
  check?: boolean;
  writeSecret?: boolean;
  json?: boolean;
}

export function brokerCommand(): Command {
  const broker = new Command("broker").description("Configure the broker of production, and see whether it holds.");
  broker.addCommand(setup());
  broker.addCommand(check());
  return broker.addHelpText(
    "after",
    "\nExamples:\n  $ parley broker setup emqx http://emqx:18083 --key-file api-key.txt --hooks http://auth-webhook:8090",
  );
}

function setup(): Command {
  return new Command("setup")
    .arguments("<kind> <url>")
    .description("Configure EMQX or VerneMQ for Parley over its HTTP API.")
    .requiredOption("--hooks <url>", "auth-webhook, as the broker reaches it")
    .option("--key-file <file>", "the API's key is its first line (or PARLEY_BROKER_API_KEY)")
    .option("--hook-secret-file <file>", "the hooks' secret (default: hook-secret in PARLEY_SECRETS)")
    .option("--check", "only look, change nothing")
    .option("--write-secret", "write the hooks' secret again, which EMQX does not show")
    .option("--json", "the result as JSON instead of text")
    .addHelpText("after", setupHelp)
    .action(async (kind: string, url: string, flags: SetupFlags) => {
      if (kind !== "emqx" && kind !== "vernemq") throw new UsageError(`KIND has to be emqx or vernemq${not(kind)}`);
      const address = addressOf("URL", url);
      const target = { hooks: addressOf("--hooks", flags.hooks), hookSecret: hookSecretOf(flags) };
      const [key, keyName] = apiKeyOf(flags);
      if (kind === "emqx" && !/^[^:]+:.+$/.test(key)) throw new UsageError(`${keyName}: EMQX's key is KEY:SECRET`);
      const authorization = `Basic ${Buffer.from(kind === "emqx" ? key : `${key}:`).toString("base64")}`;
      const title = kind === "emqx" ? "EMQX" : "VerneMQ";
      const api = openAdminApi({ url: address, authorization, keyName, title });
      const writeSecret = flags.writeSecret === true;
      const asked = kind === "emqx" ? emqxSetup(api, { ...target, writeSecret }) : vernemqSetup(api, target);
      await runSetup(asked, { checkOnly: flags.check === true, output: openOutput(flags.json === true) });
    });
}

function not(kind: string): string {
  return kind === "mosquitto" ? ": Mosquitto needs no setup, as the edge stands before it" : `, not ${kind}`;
}

interface CheckFlags {
  server?: string;
  keyFile?: string;
  patience: string;
  json?: boolean;
}

function check(): Command {
  return new Command("check")
    .argument("<urls...>", "where devices connect")
    .description("Let two people talk through the broker, and print what holds.")
    .option("-s, --server <url>", "Parley's HTTP API (PARLEY_URL, else ./.parley/run.json, else http://127.0.0.1:8080)")
    .option("--key-file <file>", "a server key is its first line (or PARLEY_SERVER_KEY)")
    .option("--patience <seconds>", "how long an answer may take before it does not come", "20")
    .option("--json", "JSON instead of a table, one object a line")
    .addHelpText("after", checkHelp)
    .action(async (urls: string[], flags: CheckFlags) => {
      for (const url of urls) addressOf("URL", url, /^(mqtt|ws)s?:$/);
      const patienceMs = Number(flags.patience) * 1_000;
      if (!(patienceMs > 0)) throw new UsageError(`--patience ${flags.patience}: a number of seconds`);
      const key = serverKeyOf(flags);
      // Here, so that other commands start without it.
      const { runCheck } = await import("../broker/check/run-check.ts");
      const system = { api: findServer(flags.server).url, key };
      const keyName = flags.keyFile === undefined ? "PARLEY_SERVER_KEY" : "--key-file";
      await runCheck({ system, keyName, urls, patienceMs, output: openOutput(flags.json === true) });
    });
}

function apiKeyOf({ keyFile }: SetupFlags): [key: string, name: string] {
  if (keyFile !== undefined) return [firstLineOf("--key-file", keyFile), "--key-file"];
  const key = process.env.PARLEY_BROKER_API_KEY;
  if (key) return [key, "PARLEY_BROKER_API_KEY"];
  throw new UsageError("the key of the broker's API is needed: --key-file or PARLEY_BROKER_API_KEY");
}

function hookSecretOf({ hookSecretFile }: SetupFlags): string {
  const folder = process.env.PARLEY_SECRETS ?? join(process.env.PARLEY_DIR ?? ".parley", "secrets");
  const secret = firstLineOf("--hook-secret-file", hookSecretFile ?? join(folder, "hook-secret"));
  if (!secretTextPattern.test(secret))
    throw new UsageError("--hook-secret-file: the hooks' secret has 32 to 128 of A-Z a-z 0-9 _ -");
  return secret;
}

function addressOf(name: string, text: string, protocol = /^https?:$/): string {
  const example = protocol.source.includes("mqtt") ? "mqtt://broker:1883" : "http://broker:8090";
  if (!URL.canParse(text) || !protocol.test(new URL(text).protocol))
    throw new UsageError(`${name} ${text}: an address like ${example} is needed`);
  // Other users of the machine can list arguments.
  const { username, password } = new URL(text);
  if (username !== "" || password !== "") throw new UsageError(`${name}: keys do not belong in an address`);
  return text.replace(/\/+$/, "");
}
