// Waiting for a server that may start later: said once, and again every ten seconds.
import type { Logger } from "../process/log.ts";

const reminderMs = 10_000;

/** Something that is waited for. */
export interface Waiting {
  /** It is there. */
  done(): void;
  /** Nobody waits for it any more. */
  cancel(): void;
}

/** Logs what is waited for until `done()` or `cancel()` is called. The address is shown without credentials. */
export function sayWaiting(log: Logger, what: string, url: string, reason: () => string | undefined): Waiting {
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
  const cancel = () => {
    clearTimeout(first);
    clearInterval(reminder);
  };
  return {
    cancel,
    done() {
      cancel();
      if (said) log.info({ event: "found", what, address, seconds: seconds() });
    },
  };
}

/** An address that may be shown: without user and password. */
export function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/@]*@/, "//");
}
