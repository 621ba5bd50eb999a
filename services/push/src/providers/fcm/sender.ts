// Sends through FCM's HTTP v1 API: one try each, and what FCM says in words of our own.
import type { Message } from "firebase-admin/messaging";
import { openAttempts, unanswered } from "../attempts.ts";
import type { ServiceAccount } from "../key-files.ts";
import type { FcmNotification, Outcome, Sender } from "../outgoing.ts";
import { type FcmApp, type FcmPlace, openAgent, openApp } from "./app.ts";
import { readAccessError, readError } from "./outcome.ts";

export interface FcmOptions {
  account: ServiceAccount;
  place?: FcmPlace | undefined;
  deadlineMs: number;
  /** connections as well: each has one at a time */
  inFlight: number;
}

/** Of access tokens that are refused no more than one a minute is given up for another. */
const renewalMs = 60_000;

export function startFcmSender({ account, place, deadlineMs, inFlight }: FcmOptions): Sender<FcmNotification> {
  const attempts = openAttempts({ deadlineMs, atOnce: inFlight });
  const agent = openAgent(place, inFlight);
  const open = new Set<FcmApp>();
  let app = openAnother();
  let renewedAt = Number.NEGATIVE_INFINITY;

  function openAnother(): FcmApp {
    const opened = openApp(account, agent, deadlineMs);
    open.add(opened);
    return opened;
  }

  async function closeApp(one: FcmApp): Promise<void> {
    if (open.delete(one)) await one.close();
  }

  // The library keeps a refused token for the hour that Google gave it for: only a new app asks for another.
  async function renew(refused: FcmApp): Promise<boolean> {
    if (refused !== app) return true;
    if (performance.now() - renewedAt < renewalMs) return false;
    renewedAt = performance.now();
    app = openAnother();
    await closeApp(refused);
    return true;
  }

  async function post(by: FcmApp, message: Message): Promise<Outcome> {
    try {
      return { is: "sent", id: await by.send(message) };
    } catch (error) {
      const { outcome, refusedAccess } = readError(error);
      const isRenewed = refusedAccess && (await renew(by));
      return isRenewed ? { is: "again", reason: "FCM did not take our access token: there is another" } : outcome;
    }
  }

  return {
    async send({ token, message }) {
      let isPosted = false;
      return attempts.run({
        async work(signal) {
          const by = app;
          try {
            await by.access();
          } catch (error) {
            return readAccessError(error);
          }
          if (signal.aborted) return unanswered(deadlineMs);
          isPosted = true;
          return post(by, { ...message, token } as Message);
        },
        late: () => (isPosted ? unanswered(deadlineMs) : { is: "later", reason: "Google gives us no access now" }),
      });
    },
    async close() {
      await attempts.close();
      await Promise.all([...open].map(closeApp));
      agent.destroy();
    },
  };
}
