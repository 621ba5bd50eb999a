// The logger: JSON lines on stdout, `{ event, …ids }`; no bodies, no tokens, no addresses of people; bounded by event.
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from "pino";
import { createLogRate } from "./log-rate.ts";

export type { Logger } from "pino";

/**
 * A logger whose every line names the service and its instance. Writes are synchronous: a crash loses no line. Of one
 * event 50 lines may come at once and one a second from then on; `lines_left_out` counts the rest. Fatal ones all come.
 */
export function createLogger(options: {
  service: string;
  instance?: string;
  level?: string;
  destination?: DestinationStream;
}): Logger {
  const { service, instance, level = "info" } = options;
  const rate = createLogRate((of, count) => logger.warn({ event: "lines_left_out", of, count }));
  const settings = {
    level,
    base: instance === undefined ? { service } : { service, instance },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    hooks: {
      logMethod(this: Logger, args: Parameters<pino.LogFn>, method: pino.LogFn, severity: number): void {
        if (severity >= fatal || rate.admits(eventOf(args[0]))) method.apply(this, args);
      },
    },
  };
  const logger: Logger = pino(settings, options.destination ?? destination({ dest: 1, sync: true }));
  return logger;
}

const fatal = pino.levels.values.fatal ?? 60;

function eventOf(line: unknown): string {
  const { event } = (typeof line === "object" && line !== null ? line : {}) as { event?: unknown };
  return typeof event === "string" ? event : "";
}
