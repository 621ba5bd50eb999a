// `npm run conformance`: what holds at a broker, case by case.
import { readFile, writeFile } from "node:fs/promises";
import { endpointsOf, type Row } from "@parley/cli/broker-check/run-cases";
import { sumOf, tableOf } from "@parley/cli/broker-check/table";
import { brokers } from "./brokers.ts";
import { cases } from "./cases/cases.ts";
import { help, type Options, type Running, readOptions } from "./options.ts";
import { runCases, whyNot } from "./run.ts";
import { startHere } from "./start-here.ts";
import { documentOf } from "./table.ts";

const options = readOptions(process.argv.slice(2));
if (options === "help") process.stdout.write(`${help}\n`);
else if ("problem" in options) {
  say(options.problem);
  process.exitCode = 2;
} else process.exitCode = await main(options);

async function main({ broker, running, only, page }: Options): Promise<number> {
  const wanted = cases.filter(({ about, holds }) => only === undefined || `${about} ${holds}`.includes(only));
  if (wanted.length === 0) {
    say(`--only ${only}: no case has that in what it says`);
    return 2;
  }
  const ends: (() => Promise<unknown>)[] = [];
  try {
    if (running) tellSettings(running);
    const { urls, ...system } = running ?? (await startHere((end) => void ends.push(end), say));
    const reason = running && (await whyNot(system, urls));
    if (reason !== undefined) {
      say(reason);
      return 2;
    }
    const rows = await runCases({ system, broker, endpoints: endpointsOf(urls), cases: wanted, onRow: tell });
    process.stdout.write(`\n${brokers[broker].title}: ${sumOf(rows)}\n\n${tableOf(rows)}\n`);
    if (page !== undefined) await writeFile(page, documentOf(await readFile(page, "utf8").catch(() => ""), rows));
    return rows.some(({ outcome }) => outcome === "no") ? 1 : 0;
  } finally {
    for (const end of ends) await end();
  }

  function tellSettings({ hooks }: Running): void {
    const lines = brokers[broker].settings(hooks).map((line) => `  ${line}\n`);
    process.stdout.write(`${brokers[broker].title} must be told (docs/operations.md has why):\n${lines.join("")}\n`);
  }
}

function tell({ about, holds, outcome, seen }: Row): void {
  say(`${outcome === "yes" ? "✔" : outcome === "no" ? "✖" : "–"} ${about}: ${holds} (${seen})`);
}

function say(line: string): void {
  process.stderr.write(`conformance: ${line}\n`);
}
