// Changes of sessions that wait while Redis is away: the latest of each device, made in order when it is back.
import type { Logger } from "@parley/runtime";
import type { SessionChange } from "./change.ts";

export interface Waiting {
  has(clientId: string): boolean;
  isEmpty(): boolean;
  add(change: SessionChange): void;
  /** Makes what waits; stops at the first that fails. Resolves true when nothing is left. */
  replay(make: (change: SessionChange) => Promise<void>): Promise<boolean>;
}

const devicesAtMost = 200_000;
const changesOfDevice = 4;

export function openWaiting(log: Logger): Waiting {
  const waiting = new Map<string, SessionChange[]>();
  let replaying = false;
  return {
    has: (clientId) => waiting.has(clientId),
    isEmpty: () => waiting.size === 0,
    add(change) {
      const before = waiting.get(change.clientId) ?? [];
      if (waiting.size >= devicesAtMost && before.length === 0) return;
      // A new connection makes all before it void.
      const kept = change.op === "connect" ? [] : before.slice(1 - changesOfDevice);
      waiting.set(change.clientId, [...kept, change]);
    },
    async replay(make) {
      if (replaying || waiting.size === 0) return waiting.size === 0;
      replaying = true;
      const count = waiting.size;
      try {
        for (const [clientId, changes] of waiting) {
          for (const one of changes) await make(one);
          // What came meanwhile waits behind.
          const left = waiting.get(clientId)?.filter((one) => !changes.includes(one)) ?? [];
          if (left.length > 0) waiting.set(clientId, left);
          else waiting.delete(clientId);
        }
        log.info({ event: "sessions_written", count });
      } catch (error) {
        log.warn({ event: "sessions_wait", count: waiting.size, reason: String(error) });
      } finally {
        replaying = false;
      }
      return waiting.size === 0;
    },
  };
}
