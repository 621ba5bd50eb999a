// Services that do what chat does not wait for leave the processor to those that it waits for.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { constants, getPriority, setPriority } from "node:os";

/** nice 10: beside a busy process of a user's own 0 it still gets a tenth of a core. */
const behind = constants.priority.PRIORITY_BELOW_NORMAL;
const groupAttempts = 20;
const groupPauseMs = 150;
/** as `setPriority` calls whoever asks */
const ownProcess = 0;

/**
 * Call it once, at the start. A process that was started with a lower priority keeps it. In a container it counts beside what else
 * is in there: between containers their shares of the processor do.
 */
export function yieldToChat(): void {
  for (const thread of threads()) {
    attempt(() => {
      if (getPriority(thread) < behind) setPriority(thread, behind);
    });
  }
  attempt(() => yieldAsGroup(groupAttempts));
}

// On Linux a priority is a thread's: V8 collects garbage in others, which were there before.
function threads(): number[] {
  return attempt(() => readdirSync("/proc/self/task").map(Number)) ?? [ownProcess];
}

/**
 * Where Linux groups processes by session (man 7 sched, autogroup) a priority counts within the group alone, and a service that has a
 * session of its own would yield to nobody. In a session of others the group is not ours to change.
 */
function yieldAsGroup(attempts: number): void {
  const file = "/proc/self/autogroup";
  if (!isSessionLeader()) return;
  const given = Number(/nice (-?\d+)/.exec(readFileSync(file, "utf8"))?.[1]);
  if (!(given < behind)) return;
  try {
    writeFileSync(file, String(behind));
  } catch (error) {
    // But for root the whole machine may do this ten times a second, and services start together.
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || attempts === 1) throw error;
    setTimeout(() => attempt(() => yieldAsGroup(attempts - 1)), groupPauseMs).unref();
  }
}

function isSessionLeader(): boolean {
  const stat = readFileSync("/proc/self/stat", "utf8");
  // Behind the program's name, which stands in brackets and may hold anything.
  const [, , , session] = stat.slice(stat.lastIndexOf(") ") + 2).split(" ");
  return stat.startsWith(`${session} `);
}

/** undefined: the system knows no such thing or does not allow it, and the service runs beside the others. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
