// Sessions whose devices are away: how many may wait and for how long, and how they are ended at the broker.
import { openTurns, type Turns } from "@parley/runtime";
import type { FoundRecord, Records } from "../broker/records.ts";
import type { Hooks } from "../hooks/hooks.ts";
import type { Member } from "./member.ts";
import type { OwnSessions } from "./own-sessions.ts";
import type { Telling } from "./telling.ts";

export interface Waiting {
  connectionId: string;
  username: string | null;
  endsAt: number;
  byBroker: boolean;
  /** written down by another edge, or one before this */
  isLearned: boolean;
  /** Another edge's: when to ask whether its device is connected there; undefined once that was asked. */
  askAt?: number | undefined;
}

const expireAgainMs = 10_000;
/** A broker looks for sessions that are over about once a second, by whole seconds: told before that, it may still hold one. */
const brokerLagMs = 2_000;
const waitingMax = 200_000;
/** By then the devices of an edge that is gone are known to be so: presence compares once a minute. */
const askLearnedMs = 90_000;
/** Sessions being ended at once, a connection to the broker each. */
const endedAtOnce = 64;
/** Those that wait for it. The rest goes on waiting for its end until there is room. */
const endingMax = 5_000;
/** Learned sessions asked about at one look: many are found at once, nobody waits for the answers, and hooks have others to answer. */
const askedAtOnce = 500;

export interface AwayOptions {
  hooks: Hooks;
  endSession(clientId: string): Promise<"ended" | "unknown" | "failed">;
  /** sessions of one user */
  userMax: number;
  /** Is the device back? */
  isHere(clientId: string): boolean;
  tell: Telling["tell"];
  /** where each is written down */
  records: AwayRecords;
  /** told of each while the broker may have it */
  own: Pick<OwnSessions<never>, "away" | "back">;
}

type AwayRecords = Pick<Records, "drop" | "forget" | "learn" | "connectionsOf">;

export interface Away {
  add(member: Member): void;
  /** Sessions that other edges, or one before this, wrote down: each may be connected elsewhere. */
  learn(found: readonly FoundRecord[]): void;
  /** Ends a session that waits. */
  end(clientId: string): void;
  /** The device is back, or its session is ended by somebody else: what waited, if it did. */
  forget(clientId: string): Waiting | undefined;
  /** The device was not back after all. */
  putBack(clientId: string, session: Waiting): void;
  sweep(now: number): void;
  /** Answers how many end, also when they were asked to before. */
  endLongestAway(count: number): number;
}

export function openAway({ hooks, endSession, userMax, isHere, tell, records, own }: AwayOptions): Away {
  const waiting = openWaiting(own);
  const ending = openTurns({ atOnce: endedAtOnce });
  const { learn, askLearned, leaveToOther } = openLearned({ waiting, ending, hooks, isHere, records, endSurplus });

  function add({ clientId, connectionId, username, version, sessionExpirySeconds }: Member): void {
    const byBroker = version === 5;
    const keptMs = sessionExpirySeconds * 1000 + (byBroker ? brokerLagMs : 0);
    wait(clientId, { connectionId, username, endsAt: performance.now() + keptMs, byBroker, isLearned: false });
  }

  function wait(clientId: string, session: Waiting): void {
    waiting.add(clientId, session);
    endSurplus(session.username);
  }

  /** Of too many of one user those that have waited longest end: `sync` has what they miss. */
  function endSurplus(username: string | null): void {
    const surplus = waiting.longestOf(username, userMax);
    if (surplus !== undefined) end(surplus);
  }

  function over(clientId: string, connectionId: string): void {
    records.drop(clientId);
    tell({ clientId, connectionId }, "on_session_expired");
  }

  function sweep(now: number): void {
    endLongestAway(waiting.size() - waitingMax);
    let asked = 0;
    for (const [clientId, session] of waiting.all()) {
      if (ending.waiting() >= endingMax) return;
      if (session.endsAt <= now) end(clientId, { bySelf: session.byBroker });
      else if (session.askAt !== undefined && session.askAt <= now && asked < askedAtOnce) {
        asked += 1;
        void askLearned(clientId, session);
      }
    }
  }

  function endLongestAway(count: number): number {
    const underWay = ending.waiting();
    const most = Math.min(count, endingMax - underWay);
    let ended = 0;
    for (const [clientId] of waiting.all()) {
      if (ended >= most) break;
      end(clientId);
      ended += 1;
    }
    return Math.max(ended, Math.min(count, underWay));
  }

  /** `bySelf`: the broker has ended it already. */
  function end(clientId: string, { bySelf } = { bySelf: false }): void {
    const session = waiting.get(clientId);
    if (session === undefined) return;
    // Until it has ended the broker may have it.
    own.away(clientId, session.username);
    waiting.delete(clientId);
    void expire(clientId, session, bySelf).finally(() => own.back(clientId, session.username));
  }

  /**
   * An MQTT 3.1.1 session never ends by itself on the broker. Its device may have come back through another edge, where
   * ending the session would disconnect it; that edge will see to it.
   */
  async function expire(clientId: string, session: Waiting, bySelf: boolean): Promise<void> {
    const isBack = () => isHere(clientId) || waiting.get(clientId) !== undefined;
    const done = await ending.take({ isWanted: () => !isBack() });
    if (done === undefined) return;
    try {
      // The connection that left here may still be known as connected: only another one counts.
      const where = await askWhere(hooks, clientId, session.isLearned ? undefined : session.connectionId);
      if (isBack()) return;
      if (where === "elsewhere") {
        await leaveToOther(clientId);
        if (bySelf) tell({ clientId, connectionId: session.connectionId }, "on_session_expired");
        return;
      }
      const ended = await endAtBroker(bySelf, where, clientId);
      if (isHere(clientId)) return;
      if (ended === "failed") waiting.add(clientId, { ...session, endsAt: performance.now() + expireAgainMs });
      else over(clientId, session.connectionId);
    } finally {
      done();
    }
  }

  async function endAtBroker(bySelf: boolean, where: Where, clientId: string): Promise<"ended" | "unknown" | "failed"> {
    if (bySelf) return "ended";
    return where === "nowhere" ? endSession(clientId) : "failed";
  }

  return { add, learn, end, forget: waiting.take, putBack: waiting.add, sweep, endLongestAway };
}

type Where = "elsewhere" | "nowhere" | "unknown";

/** Is the device connected to another edge? `connectionId`: by a connection newer than this one. */
export async function askWhere(hooks: Hooks, clientId: string, connectionId?: string): Promise<Where> {
  const than = connectionId === undefined ? {} : { connection_id: connectionId };
  const { verdict, error } = await hooks.ask("is_connected", { client_id: clientId, ...than });
  if (verdict === "ok") return "nowhere";
  return verdict === "refused" && error === "connected" ? "elsewhere" : "unknown";
}

/** Sessions that other edges, or one before this, wrote down. */
function openLearned(parts: {
  waiting: ReturnType<typeof openWaiting>;
  ending: Turns;
  hooks: Hooks;
  isHere(clientId: string): boolean;
  records: AwayRecords;
  endSurplus(username: string | null): void;
}) {
  const { waiting, ending, hooks, isHere, records, endSurplus } = parts;

  function learn(found: readonly FoundRecord[]): void {
    for (const { clientId, username, connectionId, sessionExpirySeconds } of found) {
      // Also of a device that is known here: what is over with its session, or by its next connection, goes then.
      records.learn(clientId, connectionId);
      if (isHere(clientId) || waiting.get(clientId) !== undefined) continue;
      const now = performance.now();
      const ends = { endsAt: now + sessionExpirySeconds * 1000, askAt: now + askLearnedMs };
      // Whatever the broker does by itself: nobody knows here when the device left, or whether it did.
      waiting.add(clientId, { connectionId, username, ...ends, byBroker: false, isLearned: true });
    }
  }

  /** One whose device is connected to another edge is left to that. */
  async function askLearned(clientId: string, session: Waiting): Promise<void> {
    session.askAt = undefined;
    const done = await ending.take({ isWanted: () => waiting.get(clientId) === session });
    if (done === undefined) return;
    try {
      const where = await askWhere(hooks, clientId);
      if (waiting.get(clientId) !== session) return;
      if (where !== "elsewhere") return endSurplus(session.username);
      waiting.delete(clientId);
      await leaveToOther(clientId);
    } finally {
      done();
    }
  }

  /** The device is connected to another edge: that one keeps its connection's record, if there is any. Those of earlier ones go. */
  async function leaveToOther(clientId: string): Promise<void> {
    for (const connectionId of records.connectionsOf(clientId)) {
      const where = await askWhere(hooks, clientId, connectionId);
      if (where === "elsewhere") records.drop(clientId, connectionId);
      else if (where === "nowhere") records.forget(clientId, connectionId);
    }
  }

  return { learn, askLearned, leaveToOther };
}

/** Sessions whose devices are away: longest away first, of all and of each user. */
function openWaiting({ away, back }: AwayOptions["own"]) {
  const sessions = new Map<string, Waiting>();
  const ofUser = new Map<string | null, Set<string>>();

  function remove(clientId: string): boolean {
    const session = sessions.get(clientId);
    if (session === undefined) return false;
    sessions.delete(clientId);
    back(clientId, session.username);
    const own = ofUser.get(session.username);
    own?.delete(clientId);
    if (own?.size === 0) ofUser.delete(session.username);
    return true;
  }

  return {
    size: () => sessions.size,
    all: () => sessions.entries(),
    get: (clientId: string) => sessions.get(clientId),
    delete: remove,
    take(clientId: string): Waiting | undefined {
      const session = sessions.get(clientId);
      remove(clientId);
      return session;
    },
    add(clientId: string, session: Waiting): void {
      remove(clientId);
      sessions.set(clientId, session);
      away(clientId, session.username);
      const own = ofUser.get(session.username);
      if (own === undefined) ofUser.set(session.username, new Set([clientId]));
      else own.add(clientId);
    },
    /** The user's that has waited longest, when there are more than `max`. */
    longestOf(username: string | null, max: number): string | undefined {
      const own = ofUser.get(username);
      return own !== undefined && own.size > max ? own.values().next().value : undefined;
    },
  };
}
