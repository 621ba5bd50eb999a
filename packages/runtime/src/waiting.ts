// Waiting for a server that may start later: said once, and again every ten seconds.
import type { Logger } from "./log.ts";

const reminderMs = 10_000;

/** Logs what is waited for until `done()` is called. The address is shown without credentials. */
export function sayWaiting(log: Logger, what: string, url: string, reason: () => string | undefined): { done(): void } {
  const startedAt = performance.now();
  const address = withoutCredentials(url);
  const seconds = () => Math.round((performance.now() - startedAt) / 1000);
  let said = false;
  const say = () => {
    said = true;
    log.warn({ event: "waiting", what, address, seconds: seconds(), reason: reason() });
  };
  const first = setTimeout(say, 300);
  const reminder = setInterval(say, reminderMs);
  return {
    done() {
      clearTimeout(first);
      clearInterval(reminder);
      if (said) log.info({ event: "found", what, address, seconds: seconds() });
    },
  };
}

/** An address that may be shown: without user and password. */
export function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/@]*@/, "//");
}
