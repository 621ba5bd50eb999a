// A server that speaks S3, for one test: versitygw on a folder of its own, got by Go once.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { isInstalled, searchPath, startChild } from "../processes/child.ts";
import { eventually } from "../processes/eventually.ts";
import { freePort } from "../processes/free-port.ts";
import { SetupError } from "../processes/setup-error.ts";
import type { TestContext } from "../testing/start-servers.ts";

export type TestS3 = {
  /** A BLOBS_URL: a bucket of the test's own. */
  url: string;
  /** Where the server keeps what it stores. */
  folder: string;
};

const version = "1.8.0";
const tools = join(import.meta.dirname, "../../../../.tools");
const installed = join(tools, `versitygw-${version}`, "versitygw");
const buildLimitMs = 300_000;

/** Is there one to be had? */
export function hasS3(): boolean {
  return isInstalled("versitygw") || existsSync(installed) || goProgram() !== undefined;
}

/** Ends with the test. */
export async function startS3(t: TestContext): Promise<TestS3> {
  const folder = await mkdtemp(join(tmpdir(), "parley-s3-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [bucket, port] = ["files", await freePort()];
  await mkdir(join(folder, bucket));
  const args = ["--port", `127.0.0.1:${port}`, "--access", "key", "--secret", "secret of a test", "posix", folder];
  const logFile = `${folder}.log`;
  t.after(() => rm(logFile, { force: true }));
  const child = startChild({ command: await program(), args }, { logFile, dieWith: "SIGKILL" });
  t.after(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
  // Any answer will do: it wants a signature.
  const ready = eventually(async () => (await fetch(`http://127.0.0.1:${port}/`)).status > 0, { timeoutMs: 20_000 });
  const dead = child.exited.then(async () => {
    throw new Error(`versitygw ended while starting: ${await readFile(logFile, "utf8")}`);
  });
  dead.catch(() => undefined);
  await Promise.race([ready, dead]);
  return { url: `s3+http://key:secret%20of%20a%20test@127.0.0.1:${port}/${bucket}`, folder };
}

async function program(): Promise<string> {
  if (isInstalled("versitygw")) return "versitygw";
  if (existsSync(installed)) return installed;
  const go = goProgram();
  if (go === undefined) throw new SetupError("versitygw is not installed, and there is no Go to build it with");
  const aside = `${join(tools, `versitygw-${version}`)}.${process.pid}`;
  try {
    const env = { ...process.env, PATH: searchPath(), GOBIN: aside };
    const wanted = `github.com/versity/versitygw/cmd/versitygw@v${version}`;
    await promisify(execFile)(go, ["install", wanted], { timeout: buildLimitMs, env });
    // Another test file may have been first.
    if (!existsSync(installed)) await rename(aside, join(tools, `versitygw-${version}`));
    return installed;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

function goProgram(): string | undefined {
  return ["go", "/usr/local/go/bin/go"].find((name) => (name.includes("/") ? existsSync(name) : isInstalled(name)));
}
