// A server that speaks S3, for one test: versitygw on a folder of its own.
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChild } from "../processes/child.ts";
import { eventually } from "../processes/eventually.ts";
import { freePort } from "../processes/free-port.ts";
import type { TestContext } from "../testing/start-servers.ts";
import { s3Program } from "./versitygw.ts";

export type TestS3 = {
  /** A BLOBS_URL: a bucket of the test's own. */
  url: string;
  /** Where the server keeps what it stores. */
  folder: string;
};

/** Ends with the test. */
export async function startS3(t: TestContext): Promise<TestS3> {
  const place = await mkdtemp(join(tmpdir(), "parley-s3-"));
  t.after(() => rm(place, { recursive: true, force: true }));
  const [bucket, port] = ["files", await freePort()];
  const [folder, logFile] = [join(place, "buckets"), join(place, "log")];
  // Beside them, since not every file system has attributes for it.
  const about = join(place, "about");
  await mkdir(join(folder, bucket), { recursive: true });
  await mkdir(about);
  const login = ["--access", "key", "--secret", "secret of a test"];
  const args = ["--port", `127.0.0.1:${port}`, ...login, "posix", "--sidecar", about, folder];
  const child = startChild({ command: await s3Program(), args }, { logFile, dieWith: "SIGKILL" });
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
