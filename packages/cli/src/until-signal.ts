// Runs until Ctrl-C, SIGTERM, a closed pipe, or until somebody says that it is enough.

export interface UntilSignal {
  ended: Promise<void>;
  end(): void;
  fail(error: Error): void;
}

export function untilSignal(): UntilSignal {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => {});
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
  // Whoever read our output has gone: nothing more to do, and nothing to complain about.
  process.stdout.once("error", () => resolve());
  return { ended: promise, end: resolve, fail: reject };
}
