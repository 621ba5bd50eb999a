// Thousands of devices in processes of their own: held, cut all at once, and waited for until all are back.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { CrowdLogin } from "./device.ts";
import type { Order, Report } from "./main.ts";

export interface Crowd {
  pids: number[];
  /** Every device drops its connection and connects again. */
  cut(): Promise<Storm>;
  /** Somebody else cuts them: `work` does. */
  whenCut(work: () => Promise<unknown>): Promise<Storm>;
  close(): Promise<void>;
}

/** What became of it, over all devices; ms. */
export interface Storm extends Report {
  /** until the last one was connected and subscribed */
  allBackMs: number;
}

const devicesPerProcess = 2_500;

/** Connects them, some at a time, and answers how that went. */
export async function openCrowd(
  logins: readonly CrowdLogin[],
  together: number,
): Promise<{ crowd: Crowd; connected: Storm }> {
  const count = Math.ceil(logins.length / devicesPerProcess);
  const shares = Array.from({ length: count }, (_, index) => logins.filter((_login, at) => at % count === index));
  const children = shares.map(() => fork(new URL("main.ts", import.meta.url), { serialization: "advanced" }));
  const everybody = (order: Order) => () => Promise.all(children.map((child) => told(child, order)));
  const crowd: Crowd = {
    pids: children.map(({ pid }) => pid ?? 0),
    cut: () => storm(everybody({ do: "cut" })),
    async whenCut(work) {
      const back = storm(everybody({ do: "await" }));
      await work();
      return back;
    },
    async close() {
      const gone = children.map((child) => once(child, "exit"));
      for (const child of children) child.send({ do: "close" } satisfies Order);
      await Promise.all(gone);
    },
  };
  const each = Math.max(1, Math.round(together / count));
  const connect = () =>
    Promise.all(
      children.map((child, index) => told(child, { do: "connect", devices: shares[index] ?? [], together: each })),
    );
  return { crowd, connected: await storm(connect) };
}

async function storm(order: () => Promise<Report[]>): Promise<Storm> {
  const begun = performance.now();
  const reports = await order();
  return {
    allBackMs: performance.now() - begun,
    logins: reports.flatMap(({ logins }) => logins),
    back: reports.flatMap(({ back }) => back),
    refused: summed(reports.map(({ refused }) => refused)),
    closed: reports.reduce((sum, { closed }) => sum + closed, 0),
  };
}

function summed(all: readonly Record<number, number>[]): Record<number, number> {
  const sum: Record<number, number> = {};
  for (const [code, count] of all.flatMap((one) => Object.entries(one)))
    sum[Number(code)] = (sum[Number(code)] ?? 0) + count;
  return sum;
}

async function told(child: ChildProcess, order: Order): Promise<Report> {
  const answer = once(child, "message");
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`a process of the crowd ended (${code})`);
  });
  ended.catch(() => {});
  child.send(order);
  const [report] = await Promise.race([answer, ended]);
  return report as Report;
}

/** The value that this share of them does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
