// Ends the connections of devices whose tokens were revoked, now and once more for whoever slipped in meanwhile.
import type { Revocation } from "@parley/protocol";
import type { Logger } from "@parley/runtime";
import type { BrokerClients } from "./broker-clients.ts";
import type { Sessions, StoredSession } from "./sessions.ts";

export interface Revoked {
  take(revocation: Revocation): void;
  /** Looks at the latest revocations again. */
  again(): void;
  close(): Promise<void>;
}

const againMs = 2000;
const rememberMs = 5 * 60_000;

export function openRevoked(parts: { sessions: Sessions; broker: BrokerClients | undefined; log: Logger }): Revoked {
  const { sessions, broker, log } = parts;
  const latest = new Map<Revocation, number>();
  const timers = new Set<NodeJS.Timeout>();
  const running = new Set<Promise<void>>();

  async function end(revocation: Revocation): Promise<void> {
    for (const [clientId, session] of await sessions.ofUser(revocation.uid)) {
      if (!isRevoked(clientId, session, revocation)) continue;
      log.info({ event: "revoked_disconnected", clientId });
      await broker?.disconnect(clientId);
    }
  }

  function start(revocation: Revocation): void {
    const work = end(revocation)
      .catch((error: unknown) =>
        log.warn({ event: "revoked_still_connected", uid: revocation.uid, reason: String(error) }),
      )
      .finally(() => running.delete(work));
    running.add(work);
  }

  return {
    take(revocation) {
      latest.set(revocation, Date.now() + rememberMs);
      start(revocation);
      // A connect that was decided just before its webhook heard of the revocation.
      const timer = setTimeout(() => {
        timers.delete(timer);
        start(revocation);
      }, againMs);
      timers.add(timer);
    },
    again() {
      for (const [revocation, until] of latest) {
        if (until < Date.now()) latest.delete(revocation);
        else start(revocation);
      }
    },
    async close() {
      for (const timer of timers) clearTimeout(timer);
      await Promise.allSettled(running);
    },
  };
}

/** By the token's own time; a session by password or known from a list alone is as old as its connection. */
export function isRevoked(clientId: string, { at, issuedAt }: StoredSession, revocation: Revocation): boolean {
  if (revocation.clientId !== undefined && revocation.clientId !== clientId) return false;
  return (issuedAt ?? at / 1000) < revocation.before;
}
