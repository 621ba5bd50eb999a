// Tells a user's contacts that the user came, went or changed; and a new device who of its user's contacts is there.
import type { ContactsChanged } from "@parley/protocol";
import { type Logger, openTurns } from "@parley/runtime";
import type { Told } from "../sessions/change.ts";
import type { Due } from "./due.ts";
import { openPaces } from "./paces.ts";
import { pairOf, type SayParts, sayBoth, sayContacts, sayUser } from "./say.ts";

export interface Notices {
  /** Tells those of the user's contacts who are connected, and resolves with what. Rejects when it could not be told or kept. */
  tell(due: Due): Promise<Told | undefined>;
  /** After a while, tells the device which of its user's contacts are online. */
  greet(uid: string, clientId: string): void;
  /** Tells the device, active again, how all of its user's contacts are: it was told of no change meanwhile. */
  wake(uid: string, clientId: string): void;
  /** Tells the two who became each other's contact how the other is; who no longer are sees the other offline. */
  tellContacts(changed: ContactsChanged): void;
  close(): Promise<void>;
}

export interface NoticesOptions extends SayParts {
  greetDelayMs: number;
  log: Logger;
}

const atOnce = 16;
const waitingJobs = 20_000;

/** Best effort, as all that is ephemeral: what api or Redis does not answer is not told. */
export function openNotices({ greetDelayMs, log, ...parts }: NoticesOptions): Notices {
  const turns = openTurns({ atOnce, waitingMax: waitingJobs });
  const paces = openPaces({ everyMs: parts.paceMs, keysMax: waitingJobs });
  const running = new Set<Promise<unknown>>();
  const timers = new Set<NodeJS.Timeout>();
  let closed = false;

  /** false: it is to be done again. What fails is over. */
  async function start(job: () => Promise<boolean>): Promise<boolean> {
    const done = await turns.take({ isWanted: () => !closed });
    if (!done) return true;
    const work = job()
      .catch((error: unknown) => {
        log.debug({ event: "not_told", reason: String(error) });
        return true;
      })
      .finally(() => {
        running.delete(work);
        done();
      });
    running.add(work);
    return work;
  }

  return {
    tell: (due) => sayUser(parts, due),
    greet(uid, clientId) {
      if (timers.size >= waitingJobs) return;
      const timer = setTimeout(() => {
        timers.delete(timer);
        void start(() => sayContacts(parts, { uid, clientId, all: false }));
      }, greetDelayMs);
      timers.add(timer);
    },
    wake: (uid, clientId) => paces.run(clientId, () => start(() => sayContacts(parts, { uid, clientId, all: true }))),
    tellContacts({ uid, other }) {
      if (other !== undefined) paces.run(pairOf(uid, other), () => start(() => sayBoth(parts, uid, other)));
    },
    async close() {
      closed = true;
      paces.close();
      for (const timer of timers) clearTimeout(timer);
      await Promise.allSettled(running);
    },
  };
}
