// Sends through APNs: production and sandbox side by side, one try each, and what Apple says in words of our own.
import type { Logger } from "@parley/runtime";
import { openAttempts, unanswered } from "../attempts.ts";
import type { ApnsNotification, Outcome, Sender } from "../outgoing.ts";
import { openBadTokens } from "./bad-tokens.ts";
import {
  type ApnsConnection,
  type ApnsCredentials,
  type ApnsPlace,
  openConnection,
  type Signing,
} from "./connection.ts";

export interface ApnsOptions {
  credentials: ApnsCredentials;
  /** those that the credentials are good for */
  environments: { production: boolean; sandbox: boolean };
  places: { production: ApnsPlace; sandbox: ApnsPlace };
  deadlineMs: number;
  /** Apple takes 1,000 on one connection; Node's memory for one is enough for 500 of the largest. */
  inFlight: number;
}

const token = /^[0-9a-f]{2,200}$/i;
/** Refusals that may mean the environment and not the token. */
const doubtful = ["BadDeviceToken", "DeviceTokenNotForTopic"];

function environmentOf({ sandbox }: ApnsNotification): "sandbox" | "production" {
  return sandbox ? "sandbox" : "production";
}

/** What its token is good for: one app in one environment. */
function appOf(notification: ApnsNotification): string {
  return `${environmentOf(notification)} ${notification.topic}`;
}

export function startApnsSender(options: ApnsOptions, { log }: { log: Logger }): Sender<ApnsNotification> {
  const { deadlineMs, inFlight, credentials, environments, places } = options;
  const attempts = openAttempts({ deadlineMs, atOnce: inFlight });
  const signing: Signing = {};
  const connections = new Map<ApnsPlace, ApnsConnection>();
  const badTokens = openBadTokens();
  let clockDoubtedAt = Number.POSITIVE_INFINITY;

  function connectionTo(place: ApnsPlace): ApnsConnection {
    const found = connections.get(place) ?? openConnection({ place, credentials, signing, deadlineMs });
    connections.set(place, found);
    return found;
  }

  /** The library signs anew when a token has expired: what was sent before that goes again, what was sent after tells of the clock. */
  function judgeExpired(outcome: Outcome, startedAt: number): Outcome {
    const isFirst = startedAt <= clockDoubtedAt;
    if (!Number.isFinite(clockDoubtedAt)) clockDoubtedAt = performance.now();
    return isFirst ? { is: "again", reason: "ExpiredProviderToken" } : outcome;
  }

  function judgeToken(outcome: Outcome & { is: "gone" }, notification: ApnsNotification): Outcome {
    const { token, topic } = notification;
    const environment = environmentOf(notification);
    const { bad, of, isSuspicious } = badTokens.count(appOf(notification), token, doubtful.includes(outcome.reason));
    if (!isSuspicious) return outcome;
    log.error({ event: "apns_environment_doubted", environment, topic, bad, of });
    const why = `${bad} of the last ${of} tokens of ${topic} are refused in Apple's ${environment}`;
    return {
      is: "refused",
      reason: `${outcome.reason}: ${why}; they are kept. Are they of the other environment (sandbox), or of another app?`,
    };
  }

  function judge(outcome: Outcome, notification: ApnsNotification, startedAt: number): Outcome {
    if (outcome.is === "gone") return judgeToken(outcome, notification);
    if (outcome.is === "misconfigured" && outcome.reason.endsWith("(ExpiredProviderToken)"))
      return judgeExpired(outcome, startedAt);
    if (outcome.is !== "sent") return outcome;
    clockDoubtedAt = Number.POSITIVE_INFINITY;
    badTokens.count(appOf(notification), notification.token, false);
    return outcome;
  }

  return {
    async send(notification) {
      if (!token.test(notification.token)) return { is: "gone", reason: "BadDeviceToken: it is not hexadecimal" };
      const environment = environmentOf(notification);
      if (!environments[environment])
        return { is: "refused", reason: `PUSH_APNS_CERTIFICATE_FILE is not for Apple's ${environment}` };
      const connection = connectionTo(places[environment]);
      let startedAt: number | undefined;
      return attempts.run({
        async work() {
          const outcome = await connection.post(notification, () => {
            startedAt = performance.now();
          });
          return judge(outcome, notification, startedAt ?? 0);
        },
        late() {
          if (startedAt === undefined) return { is: "later", reason: "the connection to APNs is not answered" };
          connection.timedOut(startedAt);
          return unanswered(deadlineMs);
        },
      });
    },
    async close() {
      await attempts.close();
      await Promise.all([...connections.values()].map((one) => one.close()));
    },
  };
}
