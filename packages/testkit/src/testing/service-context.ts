// What runMain hands to a service, for tests that start one inside their own process.
import { createHealth, createLogger, createMetrics, type Secrets, type ServiceContext } from "@parley/runtime";

/** A context whose log lines can be read. */
export interface TestServiceContext extends ServiceContext {
  lines: Record<string, unknown>[];
}

/** `secrets` are made up unless they are given; `lines` of an earlier start may go on. */
export function serviceContext(
  service: string,
  secrets: Partial<Secrets> = {},
  lines: Record<string, unknown>[] = [],
): TestServiceContext {
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const all = {
    signingKey: Buffer.alloc(32),
    servicesSecret: "services-secret-of-a-test",
    hookSecret: "hook",
    ...secrets,
  };
  return {
    instance: `${service}-${Math.random().toString(36).slice(2, 10)}`,
    log: createLogger({ service, level: "debug", destination }),
    lines,
    health: createHealth(),
    metrics: createMetrics(service),
    secrets: () => all,
    secretText: () => Buffer.alloc(32, 1).toString("base64url"),
    pass: () => undefined,
    draining: new AbortController().signal,
    closing: (_, work) => work(),
  };
}
