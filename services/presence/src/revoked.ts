// Ends the connections of devices whose tokens were revoked: at once, and once more for whoever slipped in meanwhile.
import { isRevokedBy, laterRevocation, type Revocation, revocationKey, revocationKeysOf } from "@parley/protocol";
import { type Logger, type NatsConnection, takeMissedRevocations } from "@parley/runtime";
import type { BrokerClients } from "./brokers/broker.ts";
import type { Sessions, StoredSession } from "./sessions/sessions.ts";

export interface Revoked {
  /** Ends what it ends now; for one replica. */
  act(revocation: Revocation): void;
  /** Looks again later; for every replica, so that the death of the one that acted leaves nobody connected. */
  remember(revocation: Revocation): void;
  /** Looks at the latest revocations again. */
  again(): void;
  /** A connection of the device is there now: one whose session was ended before that is ended again. */
  connected(uid: string, clientId: string): void;
  close(): Promise<void>;
}

interface Parts {
  nats: NatsConnection;
  sessions: Sessions;
  broker: BrokerClients | undefined;
  /** A device was revoked, maybe removed. */
  onDevice(clientId: string): void;
  log: Logger;
  /** how long a revocation that was acted on is looked at again */
  rememberMs?: number;
}

const againMs = 2000;
const defaultRememberMs = 5 * 60_000;
const rememberAtMost = 50_000;
/** By so much clocks and hearing of a revocation may differ. */
const doubtSeconds = 5;

export function openRevoked(parts: Parts): Revoked {
  const { sessions, broker, onDevice, log, rememberMs = defaultRememberMs } = parts;
  const latest = new Map<string, { revocation: Revocation; until: number }>();
  const timers = new Set<NodeJS.Timeout>();
  const running = new Set<Promise<void>>();

  async function end(revocation: Revocation): Promise<void> {
    for (const [clientId, session] of await sessions.ofUser(revocation.uid)) {
      if (!isRevoked(clientId, session, revocation)) continue;
      log.info({ event: "revoked_disconnected", clientId });
      if (!broker) continue;
      await broker.disconnect(clientId);
      // Not every broker tells of an end that it was asked for. A connection that began meanwhile is another session.
      await sessions.change({ op: "drop", uid: revocation.uid, clientId, at: session.at });
    }
  }

  async function endAll(revocations: readonly Revocation[]): Promise<void> {
    for (const revocation of revocations)
      try {
        await end(revocation);
        keep(revocation, "done");
      } catch (error) {
        // However long Redis or the broker is away, it is done when they are back.
        keep(revocation, "to do");
        log.warn({ event: "revoked_still_connected", uid: revocation.uid, reason: String(error) });
      }
  }

  function keep(revocation: Revocation, as: "done" | "to do"): void {
    const kept = latest.get(revocationKey(revocation));
    if (kept?.revocation !== revocation) return;
    if (as === "to do") kept.until = Number.POSITIVE_INFINITY;
    else if (kept.until === Number.POSITIVE_INFINITY) kept.until = performance.now() + rememberMs;
  }

  function act(...revocations: Revocation[]): void {
    const work = endAll(revocations).finally(() => running.delete(work));
    running.add(work);
  }

  const missed = takeMissedRevocations({ nats: parts.nats, take: end, log });
  return {
    act,
    remember(revocation) {
      if (revocation.clientId !== undefined) onDevice(revocation.clientId);
      const key = revocationKey(revocation);
      const known = latest.get(key)?.revocation;
      if (known && laterRevocation(known, revocation) === known) return;
      if (latest.size < rememberAtMost) latest.set(key, { revocation, until: performance.now() + rememberMs });
      // A connect that was decided just before its webhook heard of the revocation.
      const timer = setTimeout(() => {
        timers.delete(timer);
        act(revocation);
      }, againMs);
      timers.add(timer);
    },
    again() {
      for (const [key, { until }] of latest) if (until < performance.now()) latest.delete(key);
      act(...[...latest.values()].map(({ revocation }) => revocation));
    },
    connected(uid, clientId) {
      const found = revocationKeysOf(uid, clientId).flatMap((key) => latest.get(key)?.revocation ?? []);
      if (found.length > 0) act(...found);
    },
    async close() {
      missed.close();
      for (const timer of timers) clearTimeout(timer);
      await Promise.allSettled(running);
    },
  };
}

/**
 * By what it was made with. A session that presence was not asked about is as old as its connection, and maybe of a token
 * that was checked just before: it is rather ended, once, than left.
 */
export function isRevoked(clientId: string, session: StoredSession, revocation: Revocation): boolean {
  const { at, issuedAt, passwordSince, family } = session;
  const isKnown = issuedAt !== undefined || passwordSince !== undefined;
  const began = at / 1000 - (isKnown ? 0 : doubtSeconds);
  return isRevokedBy({ clientId, issuedAt: issuedAt ?? began, passwordSince, family }, revocation);
}
