// Keeps one process running: started again when it dies, with its log and its readiness.
import { setTimeout as sleep } from "node:timers/promises";
import { type Child, type Exit, isInstalled, type Program, startChild } from "./child.ts";
import { lastLogLine, logSize, rotateLog } from "./log-file.ts";
import { configError, type Life, restartPolicy } from "./restart-policy.ts";

/** true, or the reason why it is not ready. */
export type Readiness = true | string;

export type SupervisedOptions = {
  /** The part's name, with the number of the replica where there are several. */
  name: string;
  /** `lastWord`: the message that the life before ended with, if there was one. */
  prepare(lastWord?: string): Program | Promise<Program>;
  probe(): Promise<Readiness>;
  logFile: string;
  log(line: string): void;
  /** Its pid changed: it was started or ended. */
  changed(): void;
  /** It does not get up by itself; the message is one line. */
  trouble(message: string): void;
  /** With wrong settings it is given up, and the others do without it: what is said then. Without this word they do not. */
  without?: string;
};

export type Supervised = {
  name: string;
  pid(): number | undefined;
  /** The others do without it. */
  isGivenUp(): boolean;
  /** How often it was started again after it died. */
  restarts(): number;
  /** Asks it now. */
  probe(): Promise<Readiness>;
  /** Starts it (again) after `stop`. */
  start(): void;
  /** Ends it and keeps it ended. SIGKILL after 12 s. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Sends a signal; after SIGKILL and SIGTERM it resolves when that process is gone. It is then started again. */
  kill(signal: NodeJS.Signals): Promise<void>;
};

const stopLimitMs = 12_000;
const probeEveryMs = 50;
/** Whoever asks within this is given the same answer: all who wait for a process cost it one request. */
const sameAnswerMs = 40;

export function supervise(options: SupervisedOptions): Supervised {
  const { name } = options;
  let child: Child | undefined;
  let restarts = 0;
  let isGivenUp = false;
  let stopping: AbortController | undefined;
  let running: Promise<void> = Promise.resolve();
  let asked: { at: number; answer: Promise<Readiness> } | undefined;

  function probe(): Promise<Readiness> {
    const at = performance.now();
    if (asked === undefined || at - asked.at > sameAnswerMs) asked = { at, answer: options.probe() };
    return asked.answer;
  }

  async function run(signal: AbortSignal): Promise<void> {
    rotateLog(options.logFile);
    const policy = restartPolicy();
    let lastWord: string | undefined;
    while (!signal.aborted) {
      const life = await live({ ...options, probe }, lastWord, signal, (mine) => {
        child = mine;
        asked = undefined;
        options.changed();
      });
      if (life === undefined || signal.aborted) return;
      lastWord = life.message;
      if (life.code === configError && options.without !== undefined) {
        isGivenUp = true;
        return options.log(`${life.message}; ${options.without}`);
      }
      const { waitMs, hopeless } = policy.after(life);
      if (hopeless) options.trouble(`${life.message} (log: ${options.logFile})`);
      else options.log(`${life.message}; starting it again`);
      await sleep(waitMs, undefined, { signal }).catch(() => {});
      restarts += 1;
    }
  }

  return {
    name,
    pid: () => child?.pid,
    isGivenUp: () => isGivenUp,
    restarts: () => restarts,
    probe: async () => (child?.alive() ? probe() : `${name} is not running`),
    start() {
      if (stopping && !stopping.signal.aborted) return;
      const controller = new AbortController();
      stopping = controller;
      running = running
        .then(() => run(controller.signal))
        .catch((error: Error) => options.trouble(`${name} cannot be started: ${error.message}`));
    },
    async stop(signal = "SIGTERM") {
      stopping?.abort();
      const mine = child;
      mine?.kill("SIGCONT");
      mine?.kill(signal);
      const limit = setTimeout(() => mine?.kill("SIGKILL"), stopLimitMs);
      await running;
      clearTimeout(limit);
    },
    async kill(signal) {
      const mine = child;
      mine?.kill(signal);
      if (signal === "SIGKILL" || signal === "SIGTERM") await mine?.exited;
    },
  };
}

type End = Life & { message: string };

// One life of the process: undefined if it was not started any more.
async function live(
  options: SupervisedOptions,
  lastWord: string | undefined,
  signal: AbortSignal,
  changed: (child: Child | undefined) => void,
): Promise<End | undefined> {
  const startedAt = performance.now();
  const ended = (message: string, code: number | null, wasReady: boolean): End => ({
    startedAt,
    endedAt: performance.now(),
    wasReady,
    code,
    message: `${options.name} ${message}`,
  });
  let child: Child;
  let logStart: number;
  try {
    const program = await options.prepare(lastWord);
    if (signal.aborted) return undefined;
    if (!isInstalled(program.command))
      return ended(`cannot be started: ${program.command} was not found in the PATH; install it`, null, false);
    logStart = logSize(options.logFile);
    child = startChild(program, { logFile: options.logFile, dieWith: "SIGTERM" });
  } catch (error) {
    return ended(`could not be started (${(error as Error).message})`, null, false);
  }
  changed(child);
  const readiness = untilReady(options, child);
  const exit = await child.exited;
  changed(undefined);
  const wasReady = await readiness;
  const word = wasReady ? "" : lastLogLine(options.logFile, logStart);
  return ended([endOf(exit), ...(word === "" ? [] : [word])].join(": "), exit.code, wasReady);
}

function endOf({ code, signal, error }: Exit): string {
  if (error) return `could not be started (${error.message})`;
  return signal ? `was ended by ${signal}` : `ended with code ${code}`;
}

async function untilReady(options: SupervisedOptions, child: Child): Promise<boolean> {
  while (child.alive()) {
    if ((await options.probe()) === true && child.alive()) return true;
    await Promise.race([sleep(probeEveryMs), child.exited]);
  }
  return false;
}
