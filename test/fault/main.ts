// `npm run fault`: the long run, and the ledger it leaves, also when it is stopped before its end.
import { execFileSync } from "node:child_process";
import { renameSync, writeFileSync } from "node:fs";
import { cpus, totalmem, type } from "node:os";
import { ledgerOf, type Setting, textOf } from "./ledger.ts";
import { longRun } from "./long-run.ts";
import type { Round } from "./round.ts";
import { help, type RunOptions, readOptions } from "./run-options.ts";
import type { Stage } from "./stage.ts";

// What is under way when somebody stops the run may take this long; the page is then written without it.
const stopWithinMs = 25_000;

const options = readOptions(process.argv.slice(2), Date.now());
if (options === "help") process.stdout.write(`${help}\n`);
else if ("problem" in options) {
  process.stderr.write(`fault: ${options.problem}\n`);
  process.exitCode = 2;
} else await main(options);

async function main(options: RunOptions): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stopping.abort());
  process.on("disconnect", () => stopping.abort());
  say(`seed ${options.seed}, ${options.minutes} minutes`);
  const book = openBook(options);
  let stage: Stage | undefined;
  const run = longRun({
    options,
    signal: stopping.signal,
    say,
    onStage(next) {
      if (next === stage) return;
      if (!stage) for (const sentence of next.catalogue.leftOut) say(sentence);
      say(`cluster in ${next.cluster.dir}, on ${next.store}: ${next.replicas}`);
      stage = next;
      book.setting(next);
    },
    onRound: async (round) => book.add(round),
  });
  const ended = await Promise.race([run.then(() => true), tooLong(stopping.signal)]);
  const violations = book.close(!stopping.signal.aborted);
  if (!ended) await stage?.close({ force: true, keep: violations > 0 }).catch(() => {});
  process.exit(violations > 0 ? 1 : 0);
}

function tooLong(signal: AbortSignal): Promise<false> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => {
      say("stopping");
      setTimeout(() => resolve(false), stopWithinMs);
    });
  });
}

/** The ledger as it grows; after every round it is written. */
function openBook(options: RunOptions) {
  const startedAt = performance.now();
  const rounds: Round[] = [];
  let setting: Setting = settingOf(options, undefined);
  const ledger = (whole: boolean) =>
    ledgerOf(setting, { seconds: (performance.now() - startedAt) / 1_000, whole }, rounds);
  const write = (whole: boolean) => {
    const now = ledger(whole);
    if (options.page) replace(options.page, `${textOf(now)}\n`);
    if (options.json) replace(options.json, `${JSON.stringify(now, null, 2)}\n`);
    return now;
  };
  return {
    setting(stage: Stage) {
      setting = { ...settingOf(options, stage), startedAt: setting.startedAt };
    },
    add(round: Round) {
      rounds.push(round);
      const { sent, stored, lost, duplicated, reordered, violations } = round;
      say(`round ${rounds.length}: ${sent} sent, ${stored} stored, ${violations.length} violations`);
      if (lost + duplicated + reordered > 0) say(`  ${lost} lost, ${duplicated} duplicated, ${reordered} reordered`);
      for (const { rule, what } of violations.slice(0, 10)) say(`  ${rule}: ${what}`);
      write(false);
    },
    /** Answers the number of violations. */
    close(whole: boolean): number {
      const last = write(whole);
      process.stdout.write(`\n${textOf(last)}\n`);
      if (last.violations.length > 0) say(`${last.violations.length} violations; replay with ${last.replay}`);
      return last.violations.length;
    },
  };
}

function settingOf({ seed, minutes, rate, replicas, hostile, store }: RunOptions, stage: Stage | undefined): Setting {
  const on = store === undefined || store.startsWith("mongodb://") ? "" : ` --store ${store}`;
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return {
    seed,
    commit: commit(),
    machine: `${type()} ${process.arch}, ${cpus().length} × ${cpus()[0]?.model.trim()}, ${gigabytes} GiB, Node ${process.versions.node}`,
    store: stage?.store ?? "",
    replicas: stage?.replicas ?? "",
    perSecond: rate,
    startedAt: `${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`,
    replay: `npm run fault -- --minutes ${minutes} --seed ${seed} --rate ${rate} --replicas ${replicas}${hostile ? "" : " --no-hostile"}${on}`,
    leftOut: stage?.catalogue.leftOut ?? [],
  };
}

function commit(): string {
  try {
    const git = (...args: string[]) => execFileSync("git", args, { cwd: import.meta.dirname, encoding: "utf8" }).trim();
    return git("rev-parse", "--short", "HEAD");
  } catch {
    return "unknown";
  }
}

function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

function say(line: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} fault: ${line}\n`);
}
