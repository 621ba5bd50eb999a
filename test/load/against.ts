// `npm run bench -- --against COMMIT`: this build and an earlier one, by turns on one machine, each with its own load generator.
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Compared, compare, type Found, type Round, worseBy } from "./comparison.ts";
import { ratio, reportOf, shown } from "./report.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");

interface Against {
  /** anything that git can name a commit by */
  commit: string;
  /** how often each build is measured */
  rounds: number;
  /** how much worse than before a figure may be, 0.1 for a tenth */
  bound: number;
  /** options of both builds' bench, without --json */
  args: readonly string[];
  say(line: string): void;
}

/**
 * Measures both builds, prints every figure of both beside each other, and answers which are worse than the bound allows. Throws a
 * message for people.
 */
export async function measureAgainst({ commit, rounds, bound, args, say }: Against): Promise<string[]> {
  const id = await resolveCommit(commit);
  const dir = await mkdtemp(join(tmpdir(), "parley-against-"));
  const before = join(dir, "before");
  // Ctrl-C ends the bench that runs, and then this one, which takes its folder and worktree away.
  const endWithBench = () => {};
  process.on("SIGINT", endWithBench);
  try {
    say(`checking out ${id.slice(0, 7)} and installing its packages`);
    await run("git", ["worktree", "add", "--detach", before, id], { cwd: root });
    // Node and pnpm lie in folders by version: the builds can share them.
    if (existsSync(join(root, ".tools"))) await symlink(join(root, ".tools"), join(before, ".tools"));
    await bench(before, ["--help"], "ignore");
    const compared = compare(await inTurns({ dir, before, rounds, args, say }));
    process.stdout.write(`${reportOf([section(id, rounds, compared)])}\n`);
    const worse = compared.figures.filter((figure) => worseBy(figure) > bound);
    return worse.map(({ what, middle }) => `${what}: ${ratio(middle, 1)} of the build before`);
  } finally {
    await run("git", ["worktree", "remove", "--force", before], { cwd: root }).catch(() => {});
    await rm(dir, { recursive: true, force: true });
    process.off("SIGINT", endWithBench);
  }
}

async function resolveCommit(commit: string): Promise<string> {
  try {
    const { stdout } = await run("git", ["rev-parse", "--verify", "--quiet", `${commit}^{commit}`], { cwd: root });
    return stdout.trim();
  } catch {
    throw new Error(`--against ${commit}: git knows no such commit here`);
  }
}

// Which build begins changes from round to round, so that a machine that slows down favours neither.
async function inTurns({
  dir,
  before,
  rounds,
  args,
  say,
}: Pick<Against, "rounds" | "args" | "say"> & { dir: string; before: string }): Promise<Round[]> {
  const found: Round[] = [];
  for (let round = 1; round <= rounds; round++) {
    const measured: Partial<Round> = {};
    for (const build of round % 2 === 1 ? (["before", "now"] as const) : (["now", "before"] as const)) {
      say(`round ${round} of ${rounds}: ${build === "now" ? "this build" : "the build before"}`);
      const json = join(dir, `${build}-${round}.json`);
      await bench(build === "now" ? root : before, [...args, "--json", json], "inherit");
      measured[build] = (JSON.parse(await readFile(json, "utf8")) as { found: Found }).found;
    }
    found.push(measured as Round);
  }
  return found;
}

// Its report is on standard output, which is for the comparison alone.
async function bench(folder: string, args: readonly string[], progress: "inherit" | "ignore"): Promise<void> {
  const child = spawn(process.execPath, [join(folder, "start.mjs"), "bench", ...args], {
    cwd: folder,
    stdio: ["ignore", "ignore", progress],
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (...ended) => resolve(ended));
  });
  if (code !== 0) throw new Error(`the bench of ${folder} ended with ${signal ?? code}`);
}

function section(id: string, rounds: number, { figures, numbers }: ReturnType<typeof compare>) {
  return {
    title: `This build against ${id.slice(0, 7)}`,
    subject: "this build",
    notes: [
      `${rounds} rounds of both, by turns; each figure is the middle one of its build, each ratio the middle one of the rounds.`,
      "Of a rate more is better, of a time or a cost less.",
    ],
    figures: [],
    tables: [
      {
        head: ["figure", "this build", "the build before", "ratio", "spread", "ratio of each round"],
        rows: figures.map((figure) => [
          figure.what,
          `${shown(figure.now)} ${figure.unit}`,
          `${shown(figure.before)} ${figure.unit}`,
          ratio(figure.middle, 1),
          spread(figure),
          figure.ratios.map((one) => ratio(one, 1)).join(", "),
        ]),
      },
      {
        head: ["further numbers", "this build", "the build before", "ratio", "spread"],
        rows: numbers.map((number) => [
          number.what,
          number.now,
          number.before,
          ratio(number.middle, 1),
          spread(number),
        ]),
      },
    ],
  };
}

function spread({ ratios }: Compared): string {
  return `${ratio(Math.min(...ratios), 1)} to ${ratio(Math.max(...ratios), 1)}`;
}
