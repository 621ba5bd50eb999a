// npm run clients: stock MQTT clients chat through bad days on a cluster of their own, and the table of how they fared.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCluster } from "@parley/testkit";
import { build, missing } from "./build.ts";
import { clients, type StockClient } from "./catalogue.ts";
import { type Built, liveThrough } from "./days.ts";
import { restartAll } from "./restart.ts";
import { documentOf, isWell, tableOf } from "./table.ts";

const messages = 100;
const document = join(import.meta.dirname, "../../docs/clients.md");

const help = `npm run clients -- [client …]

Installs the libraries (pinned versions, into .tools/clients), starts everything in a temporary folder, and lets each
library chat with itself, ${messages} messages each way: through bad packets, a kill of the edge and a restart of everything.
Without names all clients take part, and docs/clients.md is written. Ends with 1 when a client lost or doubled anything.

${clients.map(({ name, library }) => `  ${name.padEnd(14)}${library}`).join("\n")}
`;

const log = (line: string) => process.stderr.write(`${line}\n`);

async function main(names: string[]): Promise<number> {
  if (names.some((name) => name === "--help" || name === "-h")) {
    process.stdout.write(help);
    return 0;
  }
  const unknown = names.find((name) => !clients.some((client) => client.name === name));
  if (unknown !== undefined) {
    log(`clients: ${unknown} is none of ${clients.map(({ name }) => name).join(", ")}`);
    return 2;
  }
  const wanted = names.length === 0 ? clients : clients.filter(({ name }) => names.includes(name));
  const built = await buildAll(wanted);
  if (built.length === 0) return 1;
  const outcomes = await run(built);
  process.stdout.write(`${tableOf(outcomes)}\n`);
  for (const { client, words } of outcomes.filter((outcome) => !isWell(outcome)))
    log(`${client.name}, its last words:\n  ${words.slice(-20).join("\n  ")}`);
  if (names.length === 0) await writeFile(document, documentOf(await readFile(document, "utf8"), outcomes));
  return outcomes.every(isWell) ? 0 : 1;
}

async function buildAll(wanted: readonly StockClient[]): Promise<Built[]> {
  const built: Built[] = [];
  for (const client of wanted) {
    const lacking = missing(client);
    if (lacking === undefined) {
      log(`${client.name}: ${client.library} …`);
      try {
        built.push({ client, folder: await build(client) });
      } catch (error) {
        log(`${client.name} is left out: ${(error as Error).message}`);
      }
    } else log(`${client.name} is left out: ${lacking}`);
  }
  return built;
}

async function run(built: Built[]) {
  const dir = await mkdtemp(join(tmpdir(), "parley-clients-"));
  let cluster = await startCluster({ dir, log });
  try {
    return await liveThrough(cluster, built, {
      messages,
      log,
      restart: async (old) => {
        cluster = await restartAll(old);
        return cluster;
      },
    });
  } finally {
    await cluster.close();
    await rm(dir, { recursive: true, force: true });
  }
}

process.exitCode = await main(process.argv.slice(2));
