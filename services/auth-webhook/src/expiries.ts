// Until when each connected device's credential is good: bounds what a broker may remember of our answers.
import { upTo } from "@parley/runtime";
import { LRUCache } from "lru-cache";

export interface Expiries {
  /** A device was let in, here or by another replica. `expiresAt` undefined: for ever (a password, a service). */
  set(clientId: string, expiresAt: number | undefined): void;
  /** Seconds that an allowing answer may be kept; 0 when it is not known here when the credential ends. */
  maxAge(clientId: string): number;
  /** Has the device's credential ended? */
  over(clientId: string): boolean;
  /** What other replicas told may have been missed: no credential known so far is believed to be the device's last. */
  doubt(): void;
}

const devices = 200_000;

export function openExpiries(maxAgeSeconds: number): Expiries {
  const ends = new LRUCache<string, { at: number; certain: boolean }>(upTo(devices));
  const now = () => Math.floor(Date.now() / 1000);
  return {
    set: (clientId, expiresAt) => void ends.set(clientId, { at: expiresAt ?? Number.POSITIVE_INFINITY, certain: true }),
    maxAge: (clientId) => Math.max(0, Math.min(maxAgeSeconds, (ends.get(clientId)?.at ?? 0) - now())),
    over(clientId) {
      const end = ends.get(clientId);
      return end?.certain === true && end.at <= now();
    },
    doubt() {
      for (const end of ends.values()) end.certain = false;
    },
  };
}
