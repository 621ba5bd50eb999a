// How much may run at once, by what the machine has left.
import { availableParallelism, cpus, loadavg } from "node:os";

/** What two cores bear even where no file waits. */
const usual = 6;
/** Where most of them wait. */
const most = 12;
/** A machine that is behind with what it has already is given less: what is waited for in tests comes in time then. */
const least = 3;
const idleShare = 0.15;
const lookMs = 3_000;

/** The times of all cores together, ms since the system's start. */
export type CpuTimes = { idle: number; total: number };

/** Answers the weight that may run at this moment. */
export function watchCapacity(
  readTimes: () => CpuTimes = systemTimes,
  now: () => number = performance.now.bind(performance),
  isBehind: () => boolean = isSystemBehind,
): () => number {
  let [before, beforeAt, capacity] = [readTimes(), now(), usual];
  return () => {
    if (now() - beforeAt < lookMs) return capacity;
    const times = readTimes();
    const idle = (times.idle - before.idle) / Math.max(1, times.total - before.total);
    // A step at a time: what was started last is still starting. The system's load is of the last minute, so idle cores count first.
    if (idle > idleShare) capacity = Math.min(most, Math.max(usual, capacity + 1));
    else capacity = isBehind() ? least : Math.max(usual, capacity - 1);
    [before, beforeAt] = [times, now()];
    return capacity;
  };
}

function systemTimes(): CpuTimes {
  const times = cpus().map((core) => core.times);
  const sum = (pick: (core: (typeof times)[number]) => number) => times.reduce((all, core) => all + pick(core), 0);
  return {
    idle: sum(({ idle }) => idle),
    total: sum(({ user, nice, sys, idle, irq }) => user + nice + sys + idle + irq),
  };
}

function isSystemBehind(): boolean {
  return (loadavg()[0] ?? 0) > 4 * availableParallelism();
}
