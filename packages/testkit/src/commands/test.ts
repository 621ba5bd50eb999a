// `npm test`: every test of the workspace on real servers, the longest files first.
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { inspect } from "node:util";
import { handOn, sharedMongo } from "../mongo/shared-server.ts";
import { bundlePrograms } from "../programs/bundle.ts";
import { root } from "../programs/programs.ts";
import { bundleTests } from "../suite/bundle-tests.ts";
import { watchCapacity } from "../suite/capacity.ts";
import { keepTemporaryFilesInMemory } from "../suite/memory-folder.ts";
import { type Job, type Lane, runLongestFirst } from "../suite/schedule.ts";
import { slowFiles } from "../suite/slow-files.ts";

const patterns = ["packages/*/{src,test}/**/*.test.ts", "services/*/{src,test}/**/*.test.ts", "test/**/*.test.ts"];
// Many files wait most of the time (for a lease, a back-off, an expiry); those of test/e2e, test/dialects and test/conformance have a
// whole cluster each, and under those of test/fault parts are killed under load.
const lanes = {
  faults: { atOnce: 1, weight: 4, usualSeconds: 80 },
  clusters: { atOnce: 3, weight: 2, usualSeconds: 30 },
  parts: { atOnce: 8, weight: 1, usualSeconds: 5 },
} satisfies Record<string, Lane & { usualSeconds: number }>;

// The whole takes about a quarter of an hour on two cores, and many times that on some; it must end, whatever hangs.
const fileDeadlineMs = 25 * 60_000;
const wholeRunMs = 80 * 60_000;
const outOfTime = AbortSignal.timeout(wholeRunMs);

function findFiles(wanted: string[]): string[] {
  const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: root, exclude: ["**/node_modules/**"] }));
  return files.filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part))).sort();
}

function jobOf(file: string): Job {
  const lane = /^test\/fault\/[^/]+$/.test(file)
    ? lanes.faults
    : /^test\/(e2e|dialects|conformance)\//.test(file)
      ? lanes.clusters
      : lanes.parts;
  return { file, lane, seconds: slowFiles[file] ?? lane.usualSeconds };
}

type Failure = { where: string; name: string; error: unknown };

// Told again at the very end, where whoever has only the last lines of a log finds them.
const failures: Failure[] = [];
const durations: { file: string; seconds: number; cpuSeconds: number | undefined }[] = [];
const counts = { passed: 0, failed: 0, skipped: 0 };

async function runFile({ file }: Job): Promise<void> {
  const startedAt = performance.now();
  const cpuFile = join(cpuFolder, String(durations.length + Math.random()));
  const tests = run({
    files: [placeOf(file)],
    // Before the file's own deadline, so that the test that hangs is named.
    timeout: fileDeadlineMs - 10_000,
    // Node tells of what is deprecated unless it is in node_modules: in bundles libraries are not.
    execArgv: ["--enable-source-maps", "--disable-warning=DEP0169", ...preloaded],
    env: { ...process.env, PARLEY_TEST_CPU: cpuFile },
    signal: outOfTime,
  });
  tests.on("test:summary", ({ file: one, counts: all }) => {
    if (one !== undefined) return;
    const skipped = all.skipped + all.todo;
    counts.passed += all.passed;
    counts.skipped += skipped;
    counts.failed += all.tests - all.passed - skipped;
  });
  tests.on("test:fail", ({ name, file: one, line, details: { error } }) => {
    // A test that failed because of what is in it is told by that.
    if ((error as { failureType?: string }).failureType === "subtestsFailed") return;
    const where = one === undefined ? "" : `${relative(root, one)}${line === undefined ? "" : `:${line}`}`;
    failures.push({ where, name, error: error.cause ?? error });
  });
  // Whole when the file is done: others run meanwhile.
  let text = "";
  for await (const part of tests.filter(isOfTest).compose(new spec())) text += part;
  const seconds = (performance.now() - startedAt) / 1_000;
  const cpuSeconds = readCpu(cpuFile);
  durations.push({ file, seconds, cpuSeconds });
  process.stdout.write(`\n${file} (${seconds.toFixed(1)} s${inCpu(cpuSeconds)})\n${text}`);
}

const preloaded = ["../testing/file-deadline.ts", "../testing/cpu-used.ts"].flatMap((file) => [
  "--import",
  import.meta.resolve(file),
]);

/** undefined: it was killed, or this is not Linux. */
function readCpu(file: string): number | undefined {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function inCpu(seconds: number | undefined): string {
  return seconds === undefined ? "" : `, ${seconds.toFixed(1)} s of CPU`;
}

// Not the totals of a run, which are told once for all files.
function isOfTest({ type, data }: { type: string; data: { file?: string } }): boolean {
  return type !== "test:diagnostic" || data.file !== undefined;
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
  return slowest
    .map((one) => `${one.seconds.toFixed(1).padStart(7)} s  ${one.file}${inCpu(one.cpuSeconds)}\n`)
    .join("");
}

const failureLines = 40;

function tellFailure({ where, name, error }: Failure): string {
  const lines = inspect(error)
    .split("\n")
    .filter((line) => !/^ +at .*\(?node:internal\//.test(line));
  const rest = lines.length > failureLines ? [`... ${lines.length - failureLines} lines more, above`] : [];
  return [`\n✖ ${name} (${where})`, ...lines.slice(0, failureLines), ...rest].join("\n  ");
}

// Bundling takes as much CPU as twenty files save: some files alone run from their sources.
async function choosePlaces(): Promise<(file: string) => string> {
  if (wanted.length === 0) {
    try {
      return await bundleTests(files);
    } catch (error) {
      process.stdout.write(`tests start from their sources: ${(error as Error).message}\n`);
    }
  }
  return (file) => join(root, file);
}

const wanted = process.argv.slice(2);
const files = findFiles(wanted);
if (files.length === 0) {
  process.stderr.write(`no test file has ${wanted.join(" or ")} in its path\n`);
  process.exit(1);
}
process.env.PARLEY_TEST_DEADLINE_MS = String(fileDeadlineMs);
keepTemporaryFilesInMemory();
const startedAt = performance.now();
const cpuFolder = mkdtempSync(join(tmpdir(), "parley-cpu-"));
process.once("exit", () => rmSync(cpuFolder, { recursive: true, force: true }));
const [mongoWords, notBundled, placeOf] = await Promise.all([startSharedMongo(), bundlePrograms(), choosePlaces()]);
if (notBundled !== undefined) process.stdout.write(`programs start from their sources: ${notBundled}\n`);
process.stdout.write(`${mongoWords.replace("ran", "run")}\n${files.length} files\n`);
await runLongestFirst(files.map(jobOf), watchCapacity(), runFile);
if (durations.length > slowestFiles) process.stdout.write(`\nthe slowest files:\n${tellSlowest()}`);
for (const failure of failures) process.stdout.write(`${tellFailure(failure)}\n`);
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
const seconds = Math.round((performance.now() - startedAt) / 1_000);
const allCpu = durations.reduce((sum, { cpuSeconds = 0 }) => sum + cpuSeconds, 0);
if (outOfTime.aborted) process.stdout.write(`stopped after ${wholeRunMs / 60_000} minutes\n`);
process.stdout.write(
  `\n${relative(process.cwd(), root) || "parley"}: ${files.length} files in ${seconds} s${inCpu(allCpu)}\n`,
);
process.stdout.write(`${mongoWords}\n`);
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
process.exit(counts.failed > 0 || outOfTime.aborted ? 1 : 0);
