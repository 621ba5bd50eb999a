// Until when each connected device's credential is good: bounds what a broker may remember of our answers.
import { LRUCache } from "lru-cache";

export interface Expiries {
  /** undefined: never (a password, a service) */
  set(clientId: string, expiresAt: number | undefined): void;
  /** Seconds that an allowing answer may be kept; 0 when it is not known here when the credential ends. */
  maxAge(clientId: string): number;
  /** Has the device's credential ended? */
  over(clientId: string): boolean;
}

const devices = 200_000;

export function openExpiries(maxAgeSeconds: number): Expiries {
  const ends = new LRUCache<string, number>({ max: devices });
  const now = () => Math.floor(Date.now() / 1000);
  return {
    set: (clientId, expiresAt) => void ends.set(clientId, expiresAt ?? Number.POSITIVE_INFINITY),
    maxAge: (clientId) => Math.max(0, Math.min(maxAgeSeconds, (ends.get(clientId) ?? 0) - now())),
    over: (clientId) => (ends.get(clientId) ?? Number.POSITIVE_INFINITY) <= now(),
  };
}
