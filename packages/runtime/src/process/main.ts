// The life of a service's process: settings, logger, health, start, signals, an end within ten seconds.
import { randomBytes } from "node:crypto";
import { flushCompileCache } from "node:module";
import { AppError } from "@parley/protocol";
import type { Static, TObject, TProperties } from "typebox";
import { createPass, type Pass } from "./checkpoints.ts";
import { type Closing, openClosing } from "./closing.ts";
import { type CommonConfig, ConfigError, describeSettings, readConfig, type Settings } from "./config.ts";
import { createHealth, type Health, startHealthServer } from "./health.ts";
import { createLogger, type Logger } from "./log.ts";
import { createMetrics, type Registry } from "./metrics.ts";
import { readSecrets, readSecretText, type Secrets, SecretsError, type secretFiles } from "./secrets.ts";

/** What a service is handed beside its configuration. */
export interface ServiceContext {
  /** `{service}-{8 of a-z 2-7}`, another one at each start: the value of leases, one token of a NATS subject. */
  instance: string;
  log: Logger;
  health: Health;
  metrics: Registry;
  /** Read at the first call, made if they are missing. */
  secrets(): Secrets;
  /** One of the folder's texts, made if it is missing. */
  secretText(name: keyof typeof secretFiles): string;
  /** Marks a point of the path; PARLEY_CRASH_AT can end the process there. */
  pass: Pass;
  /** Aborted when the process has been told to stop, before `close` is called. */
  draining: AbortSignal;
  /** Names a step of `close`, so that the log can say which one hung. */
  closing: Closing["step"];
}

/** A started service. */
export interface Service {
  /** Stops taking work, finishes what is in hand, lets go of everything. */
  close(): Promise<void>;
}

/** The process as main.ts hands it over. */
export type ServiceProcess = Pick<
  NodeJS.Process,
  "argv" | "env" | "exit" | "kill" | "on" | "pid" | "stdin" | "stdout" | "stderr" | "getActiveResourcesInfo"
>;

export interface ServiceDefinition<Properties extends TProperties> {
  settings: Settings<Properties>;
  start(config: Static<TObject<Properties>>, context: ServiceContext): Promise<Service>;
  process: ServiceProcess;
}

/** Exit codes: 0 told to stop, 1 could not start or stop, 64 an argument, 70 a bug, 78 a setting. */
export const exitCodes = { ok: 0, failed: 1, usage: 64, bug: 70, config: 78 } as const;

const closeLimitMs = 10_000;

/** Runs a service until it is told to stop; exits the process. */
export async function runMain<Properties extends TProperties>(
  definition: ServiceDefinition<Properties>,
): Promise<void> {
  const { settings, process } = definition;
  const [argument] = process.argv.slice(2);
  if (argument === "--help" || argument === "-h") {
    process.stdout.write(`${describeSettings(settings)}\n`);
    return process.exit(exitCodes.ok);
  }
  if (argument !== undefined) {
    const hint = "settings come by environment, --help lists them";
    process.stderr.write(`${settings.service}: unknown argument ${argument}; ${hint}\n`);
    return process.exit(exitCodes.usage);
  }
  let config: Static<TObject<Properties>>;
  try {
    config = readConfig(settings, process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${settings.service}: ${error.message}\n`);
    return process.exit(exitCodes.config);
  }
  await run(definition, config);
}

async function run<Properties extends TProperties>(
  { settings, start, process }: ServiceDefinition<Properties>,
  config: Static<TObject<Properties>>,
): Promise<void> {
  const common = config as CommonConfig;
  const instance = `${settings.service}-${randomName()}`;
  const name = common.PARLEY_INSTANCE ?? instance;
  const log = createLogger({ service: settings.service, instance: name, level: common.PARLEY_LOG_LEVEL });
  // After a bug nobody knows what state the process is in: it ends, and its supervisor starts it again.
  process.on("uncaughtException", (thrown: unknown, origin: string) => {
    const err = thrown instanceof Error ? thrown : new Error(`thrown: ${String(thrown)}`);
    log.fatal({ event: origin === "unhandledRejection" ? "unhandled_rejection" : "uncaught_exception", err });
    process.exit(exitCodes.bug);
  });
  const life = { state: "starting" as "starting" | "ready" | "stopping", service: undefined as Service | undefined };
  const health = createHealth();
  health.check("service", () => life.state === "ready" || life.state);
  const metrics = createMetrics(settings.service);
  const closing = openClosing();
  const stopping = new AbortController();
  listenForStop(process, common.PARLEY_PARENT_PIPE, (reason) => {
    if (life.state === "stopping") return;
    life.state = "stopping";
    stopping.abort();
    log.info({ event: "stopping", reason });
    stopWithin(life.service, { process, log, closing }).catch(() => process.exit(exitCodes.failed));
  });
  try {
    await serveHealth(settings, config as Record<string, unknown>, { health, metrics, log });
    let secrets: Secrets | undefined;
    life.service = await start(config, {
      instance,
      log,
      health,
      metrics,
      secrets: () => {
        secrets ??= readSecrets(common.PARLEY_SECRETS);
        return secrets;
      },
      secretText: (name) => readSecretText(common.PARLEY_SECRETS, name),
      pass: createPass(common.PARLEY_CRASH_AT, () => process.kill(process.pid, "SIGKILL")),
      draining: stopping.signal,
      closing: closing.step,
    });
  } catch (error) {
    failToStart(error, settings.service, process, log);
  }
  if (life.state !== "starting") return;
  life.state = "ready";
  log.info({ event: "started" });
  // Node keeps what it made of the sources at the end of a process; one that is killed has left it to the next one, too.
  flushCompileCache();
}

function listenForStop(process: ServiceProcess, parentPipe: boolean, stop: (reason: string) => void): void {
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
  if (!parentPipe) return;
  process.stdin.on("close", () => stop("parent gone"));
  process.stdin.on("error", () => stop("parent gone"));
  process.stdin.resume();
}

// Before start has resolved there is nothing that must be finished: leases and sessions are left as by a crash.
async function stopWithin(
  service: Service | undefined,
  { process, log, closing }: { process: ServiceProcess; log: Logger; closing: Closing },
): Promise<void> {
  setTimeout(() => {
    log.fatal({ event: "stop_hung", steps: closing.open(), resources: process.getActiveResourcesInfo() });
    process.exit(exitCodes.failed);
  }, closeLimitMs);
  try {
    await closing.step("close", async () => service?.close());
  } catch (err) {
    log.fatal({ event: "stop_failed", err });
    process.exit(exitCodes.failed);
  }
  log.info({ event: "stopped" });
  process.exit(exitCodes.ok);
}

async function serveHealth(
  settings: Settings,
  config: Record<string, unknown>,
  parts: { health: Health; metrics: Registry; log: Logger },
): Promise<void> {
  const key = `${settings.prefix}_HEALTH_PORT`;
  const host = String(config.PARLEY_HEALTH_HOST);
  const port = Number(config[key]);
  try {
    const server = await startHealthServer({ ...parts, host, port });
    parts.log.info({ event: "listening", what: "health", host, port: server.port });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const reason = code === "EADDRINUSE" ? "the port is taken" : String(code ?? cause);
    throw new AppError("unavailable", `${key} ${host}:${port}: ${reason}`, { cause });
  }
}

// What an operator can mend is one line; a bug is in the log with its stack.
function failToStart(error: unknown, service: string, process: ServiceProcess, log: Logger): void {
  const expected = error instanceof AppError || error instanceof SecretsError || isSystemError(error);
  // Some settings can be judged only together, or by what is in the file they name.
  const isSetting = error instanceof ConfigError;
  if (!expected && !isSetting) log.fatal({ event: "start_failed", err: error });
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${service}: ${isSetting ? "" : "cannot start: "}${message}\n`);
  process.exit(isSetting ? exitCodes.config : exitCodes.failed);
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === "string";
}

function randomName(): string {
  const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  return Array.from(randomBytes(8), (byte) => alphabet[byte % 32]).join("");
}
