// `npm test`: every test of the workspace on real servers, in three runs.
import { globSync } from "node:fs";
import { join, relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { inspect } from "node:util";
import { handOn, sharedMongo } from "../mongo/shared-server.ts";

const root = join(import.meta.dirname, "../../../..");
const patterns = ["packages/*/{src,test}/**/*.test.ts", "services/*/{src,test}/**/*.test.ts", "test/**/*.test.ts"];
/** Each of these has a whole cluster: two at a time on two cores, and one at a time where parts are killed under load. */
const whole = /^test\/e2e\//;
const underFaults = /^test\/fault\//;

type Counts = { passed: number; failed: number; skipped: number };
type Failure = { where: string; name: string; error: unknown };
type Group = { title: string; files: string[]; concurrency: number; deadlineMs: number };

// Many of them wait for time to pass: a lease, a back-off, an expiry.
const partsAtOnce = 3;

// The whole takes about a quarter of an hour on two cores, and must end, whatever hangs.
const wholeRunMs = 45 * 60_000;
const outOfTime = AbortSignal.timeout(wholeRunMs);

function findFiles(wanted: string[]): string[] {
  const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: root, exclude: ["**/node_modules/**"] }));
  return files.filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part))).sort();
}

// Told again at the very end, where whoever has only the last lines of a log finds them.
const failures: Failure[] = [];
const durations: { file: string; seconds: number }[] = [];

async function runGroup({ title, files, concurrency, deadlineMs }: Group): Promise<Counts> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  if (files.length === 0) return counts;
  process.stdout.write(`\n${title}: ${files.length} files\n\n`);
  process.env.PARLEY_TEST_DEADLINE_MS = String(deadlineMs);
  const tests = run({
    files: files.map((file) => join(root, file)),
    concurrency,
    // Before the file's own deadline, so that the test that hangs is named.
    timeout: deadlineMs - 10_000,
    execArgv: ["--import", import.meta.resolve("../testing/file-deadline.ts")],
    signal: outOfTime,
  });
  tests.on("test:summary", ({ file, counts: all, duration_ms }) => {
    if (file !== undefined) {
      durations.push({ file: relative(root, file), seconds: duration_ms / 1_000 });
      return;
    }
    counts.passed = all.passed;
    counts.skipped = all.skipped + all.todo;
    counts.failed = all.tests - counts.passed - counts.skipped;
  });
  tests.on("test:fail", ({ name, file, line, details: { error } }) => {
    // A test that failed because of what is in it is told by that.
    if ((error as { failureType?: string }).failureType === "subtestsFailed") return;
    const where = file === undefined ? "" : `${relative(root, file)}${line === undefined ? "" : `:${line}`}`;
    failures.push({ where, name, error: error.cause ?? error });
  });
  for await (const text of tests.compose(new spec())) process.stdout.write(text);
  return counts;
}

// One server for all files; without one the MongoDB suites are left out, which must not go unseen.
async function startSharedMongo(): Promise<string> {
  try {
    const mongo = await sharedMongo();
    handOn(mongo);
    if (mongo) return `MongoDB suites ran on ${mongo.kind}`;
    return "!!! MongoDB suites SKIPPED: set MONGODB_URL, or install mongod, or Java 17 and Maven";
  } catch (error) {
    handOn(undefined);
    return `!!! MongoDB suites SKIPPED: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const slowestFiles = 15;

function tellSlowest(): string {
  const slowest = durations.toSorted((a, b) => b.seconds - a.seconds).slice(0, slowestFiles);
  return slowest.map(({ file, seconds }) => `${seconds.toFixed(1).padStart(7)} s  ${file}\n`).join("");
}

const failureLines = 40;

function tellFailure({ where, name, error }: Failure): string {
  const lines = inspect(error)
    .split("\n")
    .filter((line) => !/^ +at .*\(?node:internal\//.test(line));
  const rest = lines.length > failureLines ? [`... ${lines.length - failureLines} lines more, above`] : [];
  return [`\n✖ ${name} (${where})`, ...lines.slice(0, failureLines), ...rest].join("\n  ");
}

const files = findFiles(process.argv.slice(2));
if (files.length === 0) {
  process.stderr.write(`no test file has ${process.argv.slice(2).join(" or ")} in its path\n`);
  process.exit(1);
}
const clusters = files.filter((file) => whole.test(file));
const faults = files.filter((file) => underFaults.test(file));
const parts = files.filter((file) => !whole.test(file) && !underFaults.test(file));
const startedAt = performance.now();
const mongoWords = await startSharedMongo();
process.stdout.write(`${mongoWords.replace("ran", "run")}\n`);
const results = [
  await runGroup({ title: "Parts", files: parts, concurrency: partsAtOnce, deadlineMs: 420_000 }),
  await runGroup({ title: "Whole clusters", files: clusters, concurrency: 2, deadlineMs: 420_000 }),
  await runGroup({ title: "Whole clusters under faults", files: faults, concurrency: 1, deadlineMs: 420_000 }),
];
if (durations.length > slowestFiles) process.stdout.write(`\nthe slowest files:\n${tellSlowest()}`);
const sum = (key: keyof Counts) => results.reduce((total, counts) => total + counts[key], 0);
for (const failure of failures) process.stdout.write(`${tellFailure(failure)}\n`);
const skipped = sum("skipped") > 0 ? `, ${sum("skipped")} skipped` : "";
const seconds = Math.round((performance.now() - startedAt) / 1_000);
if (outOfTime.aborted) process.stdout.write(`stopped after ${wholeRunMs / 60_000} minutes\n`);
process.stdout.write(`\n${relative(process.cwd(), root) || "parley"}: ${files.length} files in ${seconds} s\n`);
process.stdout.write(`${mongoWords}\n`);
process.stdout.write(`${sum("passed")} passed, ${sum("failed")} failed${skipped}\n`);
process.exit(sum("failed") > 0 || outOfTime.aborted ? 1 : 0);
