// `npm start`: the whole cluster until Ctrl-C.
import { pathToFileURL } from "node:url";
import { readClusterSettings } from "../cluster/settings.ts";
import { SetupError } from "../processes/setup-error.ts";
import { bundlePrograms } from "../programs/bundle.ts";
import { programOf } from "../programs/programs.ts";

// One Ctrl-C arrives several times: from the terminal, and passed on by npm and by start.mjs.
const sameSignalMs = 700;

// What it and its servers make is nobody else's to read.
process.umask(0o077);

const stopping = new AbortController();
let closing: ((options: { force: boolean }) => Promise<void>) | undefined;
let firstSignalAt: number | undefined;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
// start.mjs was killed.
process.on("disconnect", stop);

function stop(): void {
  const now = performance.now();
  if (firstSignalAt === undefined) {
    firstSignalAt = now;
    print("stopping (Ctrl-C again to force)");
    stopping.abort();
    end(closing?.({ force: false }));
  } else if (now - firstSignalAt > sameSignalMs) {
    end(closing?.({ force: true }) ?? Promise.resolve());
  }
}

// Without a cluster yet, the aborted start itself ends the process.
function end(closed: Promise<void> | undefined): void {
  closed?.then(() => leave(0)).catch((error: Error) => fail(error));
}

function leave(code: number): never {
  if (process.connected) process.disconnect();
  process.exit(code);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function fail(error: Error): never {
  if (stopping.signal.aborted) leave(0);
  const expected = error.name === "SetupError" || error.name === "SecretsError";
  process.stderr.write(expected ? `parley: ${error.message}\n` : `${error.stack}\n`);
  leave(1);
}

async function start(): Promise<void> {
  const args = process.argv.slice(2).join(" ");
  if (args !== "") throw new SetupError(`npm start takes no arguments (${args}): settings come by environment`);
  const settings = readClusterSettings(process.env);
  print(`starting Parley in ${settings.dir}: this takes some seconds, each part says when it is ready`);
  const notBundled = await bundlePrograms();
  if (notBundled !== undefined) print(`  the programs start from their sources: ${notBundled}`);
  const { startCluster, readDemo, describeRun } = await loadWhole();
  if (stopping.signal.aborted) return leave(0);
  const cluster = await startCluster({ ...settings, log: (line) => print(`  ${line}`), signal: stopping.signal });
  closing = cluster.close;
  if (stopping.signal.aborted) return end(cluster.close());
  const demo = await readDemo(settings.dir, cluster.run().http);
  cluster.publishDemo(demo);
  print(describeRun(settings.dir, cluster.run(), demo));
}

function loadWhole(): Promise<typeof import("./whole.ts")> {
  return import(pathToFileURL(programOf("packages/testkit/src/commands/whole.ts")).href);
}

start().catch(async (error: Error) => {
  if (!stopping.signal.aborted) await closing?.({ force: false });
  if (closing === undefined || !stopping.signal.aborted) fail(error);
});
