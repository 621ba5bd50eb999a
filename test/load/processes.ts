// What the processes of a cluster use, as Linux counts it: CPU time, memory, bytes read and written.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const tickMicros = 1e6 / Number(execFileSync("getconf", ["CLK_TCK"]).toString());
const generator = "generator";

export type ByPart = Record<string, number>;

/** CPU time used so far, µs, by part; the load generator is this process. */
export function cpuMicros(processes: Record<string, number[]>): ByPart {
  return ofAll(processes, (pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) * tickMicros;
  });
}

/** Resident memory, MiB, by part. */
export function residentMiB(processes: Record<string, number[]>): ByPart {
  return ofAll(processes, (pid) => {
    const kiB = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kiB ?? 0) / 1_024;
  });
}

/** Bytes that went through read and write so far, those of sockets too, by part. */
export function bytesMoved(processes: Record<string, number[]>): { read: ByPart; written: ByPart } {
  const count = (name: string) =>
    ofAll(processes, (pid) =>
      Number(new RegExp(`^${name}: (\\d+)`, "m").exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1]),
    );
  return { read: count("rchar"), written: count("wchar") };
}

export function difference(after: ByPart, before: ByPart, per = 1): ByPart {
  return Object.fromEntries(Object.entries(after).map(([part, value]) => [part, (value - (before[part] ?? 0)) / per]));
}

function ofAll(processes: Record<string, number[]>, read: (pid: number) => number): ByPart {
  const all = Object.entries({ ...processes, [generator]: [process.pid] });
  return Object.fromEntries(all.map(([part, pids]) => [part, pids.reduce((sum, pid) => sum + read(pid), 0)]));
}
