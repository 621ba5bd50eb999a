// What is to be said to one device, one thing after the other. Where there is too much, or something failed, the rest is dropped
// and what was missed is read again.
import { doUnasked } from "./unasked.ts";

export interface Line {
  /** A task that needs no waiting is done at once where nothing is before it. */
  add(task: () => Promise<unknown> | undefined): void;
  /** Something was missed: it is read before the next task. */
  fallBehind(): void;
  isIdle(): boolean;
  close(): void;
}

export interface LineParts {
  /** Reads what was missed; undefined: it cannot be told yet, and will be told when something is added. */
  catchUp(): Promise<void> | undefined;
  onFailure(error: unknown): void;
}

const tasksMax = 1_000;
const retryMs = 1_000;

/** It begins behind. */
export function openLine({ catchUp, onFailure }: LineParts): Line {
  const tasks: (() => Promise<unknown> | undefined)[] = [];
  let behind = true;
  let working = false;
  let closed = false;
  let retry: NodeJS.Timeout | undefined;

  async function work(): Promise<void> {
    while (!closed) {
      const missed = behind ? catchUp() : undefined;
      if (missed) {
        behind = false;
        await missed;
        continue;
      }
      const task = tasks.shift();
      if (task === undefined) break;
      const doing = task();
      if (doing) await doing;
    }
    // In the same turn: what is added from here on begins a new run.
    working = false;
  }

  async function run(): Promise<void> {
    if (working || closed || retry !== undefined) return;
    working = true;
    try {
      await doUnasked(work);
    } catch (error) {
      working = false;
      behind = true;
      if (closed) return;
      onFailure(error);
      retry = setTimeout(() => {
        retry = undefined;
        void run();
      }, retryMs);
    }
  }

  return {
    add(task) {
      if (closed) return;
      if (tasks.length >= tasksMax) {
        tasks.length = 0;
        behind = true;
      }
      tasks.push(task);
      void run();
    },
    fallBehind() {
      behind = true;
    },
    isIdle: () => !working && tasks.length === 0 && retry === undefined,
    close() {
      closed = true;
      clearTimeout(retry);
      tasks.length = 0;
    },
  };
}
