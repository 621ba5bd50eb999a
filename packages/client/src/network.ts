// When the network may have changed under a connection: the browser says so, the tab is looked at again, the machine woke.

interface Target {
  addEventListener?(name: string, listener: () => void): void;
  removeEventListener?(name: string, listener: () => void): void;
}

const tickMs = 5_000;
/** A timer that is so late was not late: the machine slept. */
const sleptMs = 15_000;

/** Calls `changed` then; the answer ends it. */
export function watchNetwork(changed: () => void, scope: Target & { document?: Target } = globalThis): () => void {
  const { document } = scope as { document?: Target & { visibilityState?: string } };
  const shown = () => {
    if (document?.visibilityState === "visible") changed();
  };
  scope.addEventListener?.("online", changed);
  document?.addEventListener?.("visibilitychange", shown);
  let last = Date.now();
  const ticks = setInterval(() => {
    const now = Date.now();
    if (now - last > tickMs + sleptMs) changed();
    last = now;
  }, tickMs);
  (ticks as { unref?: () => void }).unref?.();
  return () => {
    clearInterval(ticks);
    scope.removeEventListener?.("online", changed);
    document?.removeEventListener?.("visibilitychange", shown);
  };
}

/** What a device connects by that was told nothing else. */
export function defaultTransport(url: string): "tcp" | "ws" {
  return isBrowser() || url.startsWith("https:") ? "ws" : "tcp";
}

/** True in a browser, in its workers too. */
export function isBrowser(): boolean {
  return "document" in globalThis || "WorkerGlobalScope" in globalThis;
}
