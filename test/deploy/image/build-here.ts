// The image built without Docker: the steps of the Dockerfile's stages carried out in folders, one for each stage. What its base images
// bring is not there: pnpm and Node are this machine's.
import { execFile, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { readDockerfile, type Stage, type Step } from "./dockerfile.ts";
import { readDockerignore } from "./ignored.ts";

const root = join(import.meta.dirname, "../../..");
const run = promisify(execFile);

export interface BuiltImage {
  /** its root folder, without what the base image brings */
  folder: string;
  /** bytes of the files that the stages have added */
  bytes: number;
}

/** `pnpm`: how pnpm is started here. Rejects with what a step has said. */
export async function buildHere(dir: string, pnpm: string): Promise<BuiltImage> {
  const isIgnored = readDockerignore();
  const { stages } = readDockerfile();
  let folder = "";
  for (const stage of stages) {
    folder = join(dir, stage.name ?? "image");
    mkdirSync(folder, { recursive: true });
    await buildStage(dir, folder, stage, { isIgnored, pnpm });
  }
  return { folder, bytes: bytesOf(folder) };
}

async function buildStage(
  dir: string,
  folder: string,
  { steps }: Stage,
  { isIgnored, pnpm }: { isIgnored: (path: string) => boolean; pnpm: string },
): Promise<void> {
  let workdir = "/";
  for (const step of steps) {
    if (step.keyword === "WORKDIR") {
      workdir = step.text;
      mkdirSync(join(folder, workdir), { recursive: true });
    }
    if (step.keyword === "COPY") copy(dir, folder, workdir, step, isIgnored);
    if (step.keyword === "RUN") await runStep(folder, workdir, step.text, pnpm);
  }
}

function copy(dir: string, folder: string, workdir: string, step: Step, isIgnored: (path: string) => boolean): void {
  const words = step.text.split(/\s+/).filter((word) => !word.startsWith("--"));
  const target = words.pop() ?? "";
  const to = join(folder, target.startsWith("/") ? "" : workdir, target);
  for (const word of words) {
    const from = step.from === undefined ? join(root, word) : join(dir, step.from, word);
    if (!existsSync(from)) throw new Error(`deploy/Dockerfile: COPY ${word}: it is not there`);
    const place = target.endsWith("/") ? join(to, word) : to;
    mkdirSync(dirname(place), { recursive: true });
    const filter = (path: string) => step.from !== undefined || !isLeftOut(relative(root, path), isIgnored);
    cpSync(from, place, { recursive: true, filter, verbatimSymlinks: true });
  }
}

// Folders are gone into: what is in them may be wanted although they are not named.
function isLeftOut(path: string, isIgnored: (path: string) => boolean): boolean {
  return path.endsWith("node_modules") || (statSync(join(root, path)).isFile() && isIgnored(path));
}

// pnpm has its packages where it keeps them on this machine, and Node is the one that runs this.
async function runStep(folder: string, workdir: string, text: string, pnpm: string): Promise<void> {
  const here = text
    .replace(/^--mount=\S+\s+/, "")
    .replace(/npm install --global pnpm@\S+/, "true")
    .replaceAll(/--store-dir \S+/g, "")
    .replaceAll(/\bpnpm (?=install|sbom)/g, `${pnpm} `)
    .replace(/strip -o (\/\S+) \/usr\/local\/bin\/node/, `${stripped(process.execPath)} ${folder}$1`)
    .replace(/mkdir (\/\S+)/, `mkdir ${folder}$1`);
  await run("sh", ["-c", here], {
    cwd: join(folder, workdir),
    env: { ...process.env, CI: "true", PATH: `${dirname(process.execPath)}:${process.env.PATH}` },
    maxBuffer: 16 * 1024 ** 2,
  }).catch((error: { stdout: string; stderr: string }) => {
    throw new Error(`deploy/Dockerfile: RUN ${text}: ${error.stdout}${error.stderr}`);
  });
}

/** Are there the tools that take symbols off a program? Without them Node stays as large as it is. */
export const hasStrip = spawnSync("strip", ["--version"]).status === 0;

function stripped(program: string): string {
  return hasStrip ? `strip ${program} -o` : `cp ${program}`;
}

// Links are not followed: what they lead to is counted where it is.
function bytesOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sum + bytesOf(path);
    return entry.isFile() ? sum + statSync(path).size : sum;
  }, 0);
}
