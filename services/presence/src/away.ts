// Sessions that wait at a broker for devices that are away: how many and how long, where the broker sets no bound.
import { parseTreeUser, reservedClientId } from "@parley/protocol";
import type { Logger } from "@parley/runtime";
import type { AwaySession, BrokerClients } from "./brokers/broker.ts";
import type { Sessions } from "./sessions/sessions.ts";

export interface AwayLimits {
  /** the longest that a session waits */
  expirySeconds: number;
  /** sessions of one user; of more the longest away end */
  userMax: number;
}

export interface AwayParts {
  broker: BrokerClients;
  sessions: Pick<Sessions, "of">;
  log: Logger;
}

const waitingMax = 200_000;
/** The others end at the next look. */
const endedMax = 5_000;
const endedAtOnce = 16;

/** Those that are to end, longest away first; of guests and of nobody all. `now` and `since` are unix ms. */
function surplusOf(away: readonly AwaySession[], limits: AwayLimits, now: number): AwaySession[] {
  const devices = away.filter(({ clientId }) => !reservedClientId.test(clientId));
  const latestFirst = devices.toSorted((one, other) => other.since - one.since);
  const waiting = new Map<string, number>();
  let kept = 0;
  const surplus = latestFirst.filter(({ uid, since }) => {
    if (
      uid === undefined ||
      parseTreeUser(uid).owner !== "user" ||
      kept >= waitingMax ||
      since < now - limits.expirySeconds * 1000
    )
      return true;
    const ofUser = (waiting.get(uid) ?? 0) + 1;
    waiting.set(uid, ofUser);
    if (ofUser > limits.userMax) return true;
    kept += 1;
    return false;
  });
  return surplus.reverse();
}

/** `sync` has what an ended session would have given. Throws AppError `unavailable` when the broker does not answer. */
export async function endSurplus({ broker, sessions, log }: AwayParts, limits: AwayLimits): Promise<void> {
  if (!broker.away) return;
  const surplus = surplusOf(await broker.away(), limits, Date.now()).slice(0, endedMax);
  let ended = 0;
  async function end({ uid, clientId }: AwaySession): Promise<void> {
    // It may have come back since the list was made.
    if (uid !== undefined && (await sessions.of(uid, clientId))) return;
    await broker.disconnect(clientId);
    ended += 1;
  }
  for (let at = 0; at < surplus.length; at += endedAtOnce)
    await Promise.all(surplus.slice(at, at + endedAtOnce).map(end));
  if (ended > 0) log.info({ event: "sessions_away_ended", ended });
}
