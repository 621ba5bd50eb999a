// The program of the S3 server: of the PATH, or built by Go into .tools/, once, however many tests want it at a time.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { isInstalled, searchPath } from "../processes/child.ts";
import { oneAtATime } from "../processes/one-at-a-time.ts";
import { SetupError } from "../processes/setup-error.ts";

const version = "1.8.0";
const tools = join(import.meta.dirname, "../../../../.tools");
const folder = join(tools, `versitygw-${version}`);
const installed = join(folder, "versitygw");
// More than a minute of both cores, and others wait for their turn.
const buildLimitMs = 900_000;
// Two fifths less to do than with what nobody needs here: a program that is fast, and can be debugged.
const quickly = ["-gcflags=all=-N -l -dwarf=false", "-ldflags=-s -w"];

/** Is there one to be had? */
export function hasS3(): boolean {
  return isInstalled("versitygw") || existsSync(installed) || goProgram() !== undefined;
}

export async function s3Program(): Promise<string> {
  if (isInstalled("versitygw")) return "versitygw";
  if (existsSync(installed)) return installed;
  const go = goProgram();
  if (go === undefined) throw new SetupError("versitygw is not installed, and there is no Go to build it with");
  await oneAtATime(`${folder}.lock`, buildLimitMs, async () => {
    if (!existsSync(installed)) await build(go);
  });
  return installed;
}

async function build(go: string): Promise<void> {
  const aside = `${folder}.${process.pid}`;
  try {
    const env = { ...process.env, PATH: searchPath(), GOBIN: aside };
    const wanted = `github.com/versity/versitygw/cmd/versitygw@v${version}`;
    await promisify(execFile)(go, ["install", ...quickly, wanted], { timeout: buildLimitMs, env });
    await rename(aside, folder);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

function goProgram(): string | undefined {
  return ["go", "/usr/local/go/bin/go"].find((name) => (name.includes("/") ? existsSync(name) : isInstalled(name)));
}
