// `npm run bench`: the system's figures on this machine's real servers, each beside a baseline of the same run.
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { measureAgainst } from "./against.ts";
import { openBench } from "./bench.ts";
import { type SpokenName, spoken } from "./dialects/speeches.ts";
import { measurePeer, peerNames } from "./peers/compare.ts";
import { reportOf } from "./report.ts";
import type { Section } from "./scenario.ts";
import { type ScenarioName, scenarioNames, scenarios } from "./scenarios/index.ts";

const quickSeconds = 2;
const boundPercent = 15;
const comparedScenarios: readonly ScenarioName[] = ["pairs", "rooms"];
const others = Object.keys(spoken).filter((name) => name !== "native");
const help = `npm run bench -- [options]

  --only LIST      of the scenarios below, with commas between (default all)
  --seconds N      how long each figure is measured (default 8)
  --quick          a trial of a few seconds a scenario: small sizes, figures that say nothing
  --way W          broker, edge or both: how the pairs connect (default both)
  --in-flight L    messages in flight of the pairs (default 1,32,320,1000)
  --devices N      of the scenario connections (default 10000; 500 with --quick)
  --messages N     stored in the scenario size (default 1000000; 50000 with --quick)
  --conversations N  of the scenario size, a multiple of 100 (default 10000; 2000 with --quick)
  --protocols L    beside native, of the scenario dialects (default all: ${others.join(",")})
  --json FILE      also write the figures as JSON
  --against COMMIT by turns with the build of this commit, and both beside each other (default --only pairs,rooms)
  --bound N        with --against: end with 1 where a figure is more than so many percent worse (default ${boundPercent})
  --peer NAME      by turns with another chat system, which is fetched by apt-get and not installed (${peerNames.join(", ")})
  --rounds N       how often each of the two builds, or of the protocols, is measured (default 5 and 4)
  --help

Scenarios:
${scenarioNames.map((name) => `  ${name.padEnd(16)} ${scenarios[name].does}`).join("\n")}

Starts clusters of its own in temporary folders, with the device's rate limit lifted. Nothing else should run meanwhile.
The MongoDB of engines, replicas-mongo and hand-over is MONGODB_URL, else mongod from PATH, else a test server that says nothing of speed.`;

const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    seconds: { type: "string" },
    quick: { type: "boolean", default: false },
    way: { type: "string", default: "both" },
    "in-flight": { type: "string", default: "1,32,320,1000" },
    devices: { type: "string" },
    messages: { type: "string" },
    conversations: { type: "string" },
    protocols: { type: "string", default: others.join(",") },
    json: { type: "string" },
    against: { type: "string" },
    bound: { type: "string" },
    peer: { type: "string" },
    rounds: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

if (options.help) process.stdout.write(`${help}\n`);
else await main();

async function main(): Promise<void> {
  const { quick, way, against, peer } = options;
  const asked = read();
  const mistake = mistakeIn(asked);
  if (mistake !== undefined) return usage(mistake);
  const { wanted, seconds, rounds } = asked;
  if (against !== undefined) return compareBuilds(against, asked);
  const bench = openBench({
    seconds,
    warmupSeconds: quick ? 1 : 3,
    rounds,
    protocols: asked.protocols as SpokenName[],
    quick,
    devices: asked.devices,
    stored: asked.stored,
    ways: (["broker", "edge"] as const).filter((one) => way === "both" || way === one),
    inFlight: asked.inFlight,
    say,
  });
  try {
    if (peer === undefined) await measure(wanted as ScenarioName[], bench);
    else await explained(measurePeer(bench));
  } finally {
    await bench.close();
  }
}

type Asked = ReturnType<typeof read>;

function read() {
  const { only, against, quick } = options;
  const all = against === undefined ? scenarioNames : comparedScenarios;
  return {
    wanted: (only ?? all.join(",")).split(",").map((name) => name.trim()),
    seconds: Number(options.seconds ?? (quick ? quickSeconds : 8)),
    inFlight: options["in-flight"].split(",").map(Number),
    rounds: Number(options.rounds ?? (against === undefined ? 4 : 5)),
    devices: Number(options.devices ?? (quick ? 500 : 10_000)),
    stored: {
      messages: Number(options.messages ?? (quick ? 50_000 : 1_000_000)),
      conversations: Number(options.conversations ?? (quick ? 2_000 : 10_000)),
    },
    protocols: options.protocols.split(","),
    bound: Number(options.bound ?? boundPercent) / 100,
  };
}

function mistakeIn(asked: Asked): string | undefined {
  const { wanted, seconds, inFlight, rounds, devices, protocols, bound } = asked;
  const { way } = options;
  const unknown = wanted.find((name) => !scenarioNames.includes(name as ScenarioName));
  if (unknown !== undefined) return `--only ${unknown}: is none of ${scenarioNames.join(", ")}`;
  if (!(seconds >= 1 && seconds <= 600)) return `--seconds ${options.seconds}: a number from 1 to 600`;
  if (!["broker", "edge", "both"].includes(way)) return `--way ${way}: broker, edge or both`;
  if (!inFlight.every((count) => Number.isInteger(count) && count >= 1 && count <= 10_000))
    return `--in-flight ${options["in-flight"]}: numbers from 1 to 10000 with commas between`;
  if (!(Number.isInteger(rounds) && rounds >= 1 && rounds <= 50))
    return `--rounds ${options.rounds}: a whole number from 1 to 50`;
  if (!(Number.isInteger(devices) && devices >= 1 && devices <= 40_000))
    return `--devices ${options.devices}: a whole number from 1 to 40000`;
  const { messages, conversations } = asked.stored;
  if (!(conversations % 100 === 0 && conversations >= 100 && conversations <= 1_000_000))
    return `--conversations ${options.conversations}: a multiple of 100 up to 1000000`;
  if (!(Number.isInteger(messages) && messages >= conversations && messages <= 100_000_000))
    return `--messages ${messages}: a whole number from ${conversations}, one a conversation, to 100000000`;
  if (!protocols.every((name) => others.includes(name)))
    return `--protocols ${options.protocols}: some of ${others.join(", ")}`;
  if (!(bound >= 0 && bound <= 10)) return `--bound ${options.bound}: a number of percent from 0 to 1000`;
  return mistakenPair();
}

/** What is said together and does not go together. */
function mistakenPair(): string | undefined {
  const { peer, against } = options;
  if (against === undefined && options.bound !== undefined) return "--bound: only with --against";
  if (peer === undefined) return undefined;
  if (!peerNames.includes(peer as (typeof peerNames)[number]))
    return `--peer ${peer}: is none of ${peerNames.join(", ")}`;
  const other = (["only", "against", "json"] as const).find((name) => options[name] !== undefined);
  return other && `--${other}: not with --peer`;
}

/** What it rejects with is for people. */
async function explained(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    say((error as Error).message);
    process.exitCode = 1;
  }
}

async function compareBuilds(commit: string, { wanted, seconds, rounds, bound }: Asked): Promise<void> {
  if (options.json) return usage("--json: not with --against");
  const given = ["--only", wanted.join(","), "--seconds", String(seconds), "--way", options.way];
  const sized = (["devices", "messages", "conversations"] as const).flatMap((name) => {
    const value = options[name];
    return value === undefined ? [] : [`--${name}`, value];
  });
  const sizes = [...(options.quick ? ["--quick"] : []), ...sized];
  const args = [...given, "--in-flight", options["in-flight"], ...sizes];
  await explained(
    measureAgainst({ commit, rounds, bound, args, say }).then((worse) => {
      if (worse.length === 0 || options.quick) return;
      say(`worse by more than ${100 * bound} %:\n${worse.map((line) => `  ${line}`).join("\n")}`);
      process.exitCode = 1;
    }),
  );
}

async function measure(wanted: readonly ScenarioName[], bench: ReturnType<typeof openBench>): Promise<void> {
  const machine = { at: new Date().toISOString(), node: process.versions.node, cores: availableParallelism() };
  const found: Partial<Record<ScenarioName, Section[]>> = {};
  for (const name of wanted) {
    say(name);
    const sections = await scenarios[name].run(bench);
    found[name] = sections;
    // As it comes: a run takes long, and what is measured is kept if a later scenario fails.
    process.stdout.write(`\n${reportOf(sections)}\n`);
    if (options.json)
      await writeFile(options.json, `${JSON.stringify({ ...machine, quick: bench.quick, found }, null, 2)}\n`);
  }
  const kind = bench.quick ? "A trial" : "Measured";
  process.stdout.write(
    `\n${kind}: ${machine.at}, Node ${machine.node}, ${machine.cores} cores, load generator included.\n`,
  );
}

function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}

function usage(problem: string): void {
  process.stderr.write(`bench: ${problem}\n`);
  process.exitCode = 2;
}
