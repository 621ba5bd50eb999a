// Rounds of a minute, one after the other, each on new users, until the time is over or somebody stops it.
import { attacksWithoutBulk } from "../hostile/attacks.ts";
import type { Fault } from "./faults/fault.ts";
import { type Round, runRound } from "./round.ts";
import type { RunOptions } from "./run-options.ts";
import { type Random, seeded } from "./seeded.ts";
import { openStage, type Stage } from "./stage.ts";
import { dealer, storm } from "./storm.ts";
import type { Workload } from "./workload/workload.ts";

export interface LongRun {
  options: RunOptions;
  signal: AbortSignal;
  say(line: string): void;
  /** A stage is there; the first one and every later one. */
  onStage(stage: Stage): void;
  /** A round is over and judged; one that could not be finished has a violation that says so. */
  onRound(round: Round): Promise<void>;
}

const roundMs = 60_000;
const progressMs = 10_000;
// One round in three with faults that make the broker forget: then receivers may miss messages live.
const brokerEvery = 3;
// A server that keeps everything in memory gets a new database now and then.
const freshEveryRounds = 8;
// Of so many rounds one is without the hostile user: what its harm is measured against.
const peacefulEvery = 4;
const failuresInARow = 3;
// Whatever hangs: the next round has a cluster of its own.
const roundLimitMs = 10 * 60_000;

export async function longRun(run: LongRun): Promise<void> {
  const { options, signal } = run;
  const until = performance.now() + options.minutes * 60_000;
  const chance = seeded(options.seed);
  let stage: Stage | undefined;
  let decks: Decks | undefined;
  let failures = 0;
  let bad = false;
  for (let index = 0; performance.now() < until && !signal.aborted && failures < failuresInARow; index++) {
    try {
      if (stage && (failures > 0 || (stage.forgetful && index % freshEveryRounds === 0))) {
        const old: Stage = stage;
        stage = undefined;
        await end(run, old, bad);
        bad = false;
      }
      stage ??= await openStage({ store: options.store, replicas: options.replicas, signal });
      decks ??= decksOf(stage, chance);
      run.onStage(stage);
      const forMs = Math.min(roundMs, until - performance.now());
      const random = chance.fork(`round ${index}`);
      const round = await within(roundLimitMs, oneRound(run, stage, decks, { index, forMs, random }));
      failures = 0;
      bad ||= round.violations.length > 0;
      await run.onRound(round);
    } catch (error) {
      if (signal.aborted) break;
      failures += 1;
      bad = true;
      await run.onRound(unfinished(error as Error));
    }
  }
  if (stage) await end(run, stage, bad);
}

async function end({ say, signal }: LongRun, stage: Stage, bad: boolean): Promise<void> {
  if (bad) say(`the logs are kept: ${stage.cluster.dir}/logs`);
  await stage.close({ keep: bad, force: signal.aborted });
}

type Decks = { gentle: () => string; breaking: () => string };

// Dealt by name: a later stage has the same faults, made anew for its own links.
function decksOf({ catalogue }: Stage, chance: Random): Decks {
  const deal = (breaksBroker: boolean) => {
    const next = dealer(
      catalogue.faults.filter((fault) => fault.breaksBroker === breaksBroker),
      chance.fork(`deck ${breaksBroker}`),
    );
    return () => next().name;
  };
  return { gentle: deal(false), breaking: deal(true) };
}

function oneRound(
  { options, say, signal }: LongRun,
  { cluster, devices, catalogue, forgetful }: Stage,
  { gentle, breaking }: Decks,
  { index, forMs, random }: { index: number; forMs: number; random: Random },
): Promise<Round> {
  const byName = new Map(catalogue.faults.map((fault) => [fault.name, fault]));
  const mayBreak = index % brokerEvery === brokerEvery - 1;
  const which = random.fork("which");
  const draw = () => byName.get(mayBreak && which.chance(0.3) ? breaking() : gentle()) as Fault;
  const weather = storm(cluster, { random: random.fork("faults"), draw, forMs, say, signal });
  const hostile = options.hostile && !isPeaceful(index);
  const attacks = forgetful ? attacksWithoutBulk : undefined;
  const workload = { name: `r${index}-`, random, perSecond: options.rate, link: devices, hostile, attacks };
  return runRound(cluster, workload, (own) => withProgress(index, own, say, () => weather(own)));
}

// Each time another one of the four: a store that gets slower with each round would put it always at the same disadvantage.
function isPeaceful(index: number): boolean {
  return (index + Math.floor(index / peacefulEvery)) % peacefulEvery === peacefulEvery - 1;
}

async function withProgress<T>(
  index: number,
  workload: Workload,
  say: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const tell = () => say(`round ${index + 1}: ${workload.sent()} sent, ${workload.acknowledged()} acknowledged`);
  const timer = setInterval(tell, progressMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`it was not over after ${limitMs / 60_000} minutes`)), limitMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function unfinished(error: Error): Round {
  const counts = { sent: 0, acknowledged: 0, stored: 0, lost: 0, duplicated: 0, reordered: 0 };
  const violations = [{ rule: "a round can be finished", what: error.message.split("\n")[0] ?? "" }];
  const nothing = {
    refused: 0,
    received: 0,
    shown: 0,
    spoken: 0,
    heard: 0,
    again: 0,
    erased: 0,
    ended: 0,
    glimpses: 0,
    incidents: [],
    blows: undefined,
    calmWaitsMs: [],
  };
  return { ...counts, ...nothing, violations };
}
