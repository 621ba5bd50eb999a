// Sends through FCM's HTTP v1 API: one try each, and what FCM says in words of our own.
import type { Message } from "firebase-admin/messaging";
import { openAttempts } from "../attempts.ts";
import type { FcmNotification, Outcome, Sender } from "../outgoing.ts";
import { type FcmApp, type FcmPlace, openAgent, openApp, type ServiceAccount } from "./app.ts";
import { readError } from "./outcome.ts";

export interface FcmOptions {
  account: ServiceAccount;
  place?: FcmPlace | undefined;
  deadlineMs: number;
  /** connections as well: each has one at a time */
  inFlight: number;
}

/** An access token that is refused, and the one after it as well: no more than one a minute from then on. */
const renewalMs = 60_000;

export function startFcmSender({ account, place, deadlineMs, inFlight }: FcmOptions): Sender<FcmNotification> {
  const attempts = openAttempts({ deadlineMs, atOnce: inFlight });
  const agent = openAgent(place, inFlight);
  const closing: Promise<void>[] = [];
  let app = openApp(account, agent);
  let renewedAt = Number.NEGATIVE_INFINITY;

  // The library keeps a refused token for the hour that Google gave it for: only a new app asks for another.
  function renew(refused: FcmApp): boolean {
    if (refused !== app) return true;
    if (performance.now() - renewedAt < renewalMs) return false;
    renewedAt = performance.now();
    app = openApp(account, agent);
    closing.push(refused.close());
    return true;
  }

  async function work({ token, message }: FcmNotification): Promise<Outcome> {
    const by = app;
    try {
      return { is: "sent", id: await by.send({ ...message, token } as Message) };
    } catch (error) {
      const { outcome, refusedAccess } = readError(error);
      if (refusedAccess && renew(by))
        return { is: "again", reason: "FCM does not take our access token: asked for another" };
      return outcome;
    }
  }

  return {
    send: (notification) => attempts.run({ work: () => work(notification) }),
    async close() {
      await attempts.close();
      await Promise.all([...closing, app.close()]);
      agent.destroy();
    },
  };
}
