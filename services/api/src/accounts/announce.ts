// Announces revocations: at once, and again every few seconds until NATS has them; what is left is announced at the next start.
import { type Revocation, revocationKey, subjects } from "@parley/protocol";
import { type Logger, type NatsConnection, natsConnected, onNatsLost } from "@parley/runtime";
import type { ApiStore } from "../store.ts";

const againMs = 5_000;

export interface Announcements {
  /** Resolves when it was tried: NATS has it, unless it is away. Never rejects. */
  add(revocation: Revocation): Promise<void>;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

interface Parts {
  store: ApiStore;
  nats: NatsConnection;
  log: Logger;
}

export function startAnnouncing(parts: Parts): Announcements {
  const waiting = new Map<string, Revocation>();
  let running: Promise<void> | undefined;
  const turn = (): Promise<void> | undefined => {
    if (waiting.size === 0 || !natsConnected(parts.nats)) return undefined;
    running ??= announceAll(parts, waiting)
      .catch((err: unknown) => parts.log.warn({ event: "revocations_not_announced", err }))
      .finally(() => {
        running = undefined;
      });
    return running;
  };
  // While NATS is away nothing is sent into its buffer: who comes back a moment later than we would miss it.
  const timer = setInterval(() => void turn(), againMs);
  return {
    add(revocation) {
      waiting.set(revocationKey(revocation), revocation);
      // One that is under way does not have it yet: the next one has.
      running = running ? running.then(turn) : turn();
      return running ?? Promise.resolve();
    },
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}

async function announceAll({ store, nats }: Parts, waiting: Map<string, Revocation>): Promise<void> {
  const sent = [...waiting];
  for (const [, revocation] of sent) nats.publish(subjects.revoked, JSON.stringify(revocation));
  await flush(nats);
  for (const [key, revocation] of sent) {
    const kept = await store.revocations.get(key);
    const { before, password } = revocation;
    if (kept?.doc.before === before && kept.doc.password?.since === password?.since)
      await store.revocations.update(key, { ...revocation, announced: true }, kept.version);
    if (waiting.get(key) === revocation) waiting.delete(key);
  }
}

function flush(nats: NatsConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    const forget = onNatsLost(nats, () => reject(new Error("NATS was lost")));
    nats.flush().then(resolve, reject).finally(forget);
  });
}
