// The log file of one part: kept small, and what a dying process said last.
import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from "node:fs";

const maxLogBytes = 16 * 1024 * 1024;

/** Moves a large log to `.old`; called while nobody writes it. */
export function rotateLog(file: string): void {
  if (logSize(file) > maxLogBytes) renameSync(file, `${file}.old`);
}

export function logSize(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** The last line after position `from`; a line of JSON is shortened to its event and error. */
export function lastLogLine(file: string, from: number): string {
  const log = openSync(file, "r");
  const size = fstatSync(log).size;
  const start = Math.max(from, size - 8_192);
  const text = Buffer.alloc(Math.max(0, size - start));
  readSync(log, text, 0, text.length, start);
  closeSync(log);
  const line = text.toString().trim().split("\n").at(-1) ?? "";
  try {
    const { event, msg, err, error } = JSON.parse(line);
    return [event, msg, err?.message ?? error].filter((part) => typeof part === "string").join(" ");
  } catch {
    return line.slice(0, 300);
  }
}
