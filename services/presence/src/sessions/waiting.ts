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
      waiting.set(change.clientId, behind(before, change));
    },
    async replay(make) {
      if (replaying || waiting.size === 0) return waiting.size === 0;
      replaying = true;
      const count = waiting.size;
      try {
        for (const [clientId, changes] of waiting) {
          for (const one of changes) await make(unsureOf(one));
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

// A new connection makes all before it void, but that its device is invisible or no longer. Words in a row are one. Of
// more changes than are kept the latest stay, and behind the last word on being invisible, if that is older.
function behind(before: readonly SessionChange[], change: SessionChange): SessionChange[] {
  const last = before.at(-1);
  if (change.op === "state" && last?.op === "state") return [...before.slice(0, -1), { ...last, ...change }];
  const kept = change.op === "connect" ? [change] : [...before, change].slice(-changesOfDevice);
  const shown = [...before, change]
    .flatMap((one) => (one.op === "state" && one.show !== undefined ? [one] : []))
    .at(-1);
  return !shown || kept.includes(shown) ? kept : [onlyShow(shown), ...kept];
}

// One that says nothing else stays the same object: a replay knows by it what it has made.
function onlyShow(said: SessionChange & { op: "state" }): SessionChange {
  const { active, status, ...word } = said;
  return active === undefined && status === undefined ? said : word;
}

// What the device said meanwhile may wait at another replica.
function unsureOf(change: SessionChange): SessionChange {
  const begins = change.op === "connect" || change.op === "connected" || change.op === "listed";
  return begins ? { ...change, invisible: true, unsure: true } : change;
}
