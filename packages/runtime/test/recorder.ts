// A logger whose lines a test can read.
import { createLogger, type Logger } from "@parley/runtime";

export type Line = Record<string, unknown> & { event?: string };

/** Lines of every level, newest last. */
export function recordingLogger(): { log: Logger; lines: Line[]; events(): (string | undefined)[] } {
  const lines: Line[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const log = createLogger({ service: "test", level: "trace", destination });
  return { log, lines, events: () => lines.map(({ event }) => event) };
}
