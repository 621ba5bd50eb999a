// The logger: JSON lines on stdout, `{ event, …ids }`; no bodies, no tokens, no addresses of people.
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from "pino";

export type { Logger } from "pino";

/** A logger whose every line names the service and its instance. Writes are synchronous: a crash loses no line. */
export function createLogger(options: {
  service: string;
  instance?: string;
  level?: string;
  destination?: DestinationStream;
}): Logger {
  const { service, instance, level = "info" } = options;
  const settings = {
    level,
    base: instance === undefined ? { service } : { service, instance },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(settings, options.destination ?? destination({ dest: 1, sync: true }));
}
