// The three decisions and the session events as both brokers' shapes use them: with their memory and their log lines.
import { type CredentialExpiry, type FiltersChange, type SessionEvent, servicesUsername } from "@parley/protocol";
import { addressKey, type Logger, openTurns } from "@parley/runtime";
import { LRUCache } from "lru-cache";
import type { ConnectAttempt, ConnectRefusal, ConnectRules } from "./connect-rules.ts";
import { type ConnectDecision, decideConnect } from "./decide-connect.ts";
import { decidePublish, type Identity, type Publication, type PublishDecision } from "./decide-publish.ts";
import { decideSubscribe } from "./decide-subscribe.ts";
import type { Expiries } from "./expiries.ts";

export interface Decisions {
  connect(attempt: ConnectAttempt): Promise<ConnectDecision>;
  publish(who: Identity, publication: Publication): PublishDecision;
  subscribe(who: Identity, filter: string): boolean;
  /** Seconds that a broker may remember an allowing answer for this device. */
  maxAge(clientId: string): number;
  session(event: SessionEvent): void;
  /** The same, of a device with a tree: false: presence did not take it, and it is to be told again. */
  treeSession(event: SessionEvent): Promise<boolean>;
  /** What a device with a tree subscribed and unsubscribed; false: it could not be kept, and is to be told again. */
  filters(change: FiltersChange): Promise<boolean>;
  /** Is the device connected anywhere, by another connection than the named? undefined: nobody answered. */
  isConnected(clientId: string, connection: string | undefined): Promise<boolean | undefined>;
  /** Says why a hook's request got no decision at all. */
  malformed(hook: string, reason: string): void;
}

export interface DecisionsOptions {
  rules: ConnectRules;
  expiries: Expiries;
  tell(event: SessionEvent): void;
  /** Tells the other replicas that a device was let in. */
  share(expiry: CredentialExpiry): void;
  isConnected(clientId: string, connection: string | undefined): Promise<boolean | undefined>;
  keepFilters(change: FiltersChange): Promise<boolean>;
  tellSurely(event: SessionEvent): Promise<boolean>;
  /** connects decided at the same time, half of them for one address; more wait a second, then they are refused as busy */
  connectsAtOnce: number;
  log: Logger;
  /** Counts what was decided. */
  count(hook: "connect" | "publish" | "subscribe", result: string): void;
}

type Allowed = Extract<ConnectDecision, { allow: true }>;

/** Refusals of what presence had registered already. */
const endedAgain: readonly ConnectRefusal[] = ["revoked_meanwhile", "password_changed"];
const onceMs = 60_000;
/** Brokers wait 5 s for an answer, and a password may take 3 s of them. */
const connectWaitMs = 1_000;

export function openDecisions(options: DecisionsOptions): Decisions {
  const { rules, expiries, tell, share, log, count } = options;
  // A client that asks for the same wrong thing again and again is one line a minute.
  const said = new LRUCache<string, true>({ max: 10_000, ttl: onceMs });
  const refused = (hook: "connect" | "publish" | "subscribe", clientId: string, reason: string) => {
    count(hook, reason);
    const key = `${hook} ${clientId} ${reason}`;
    if (said.has(key)) return;
    said.set(key, true);
    log.info({ event: "refused", hook, clientId: clientId.slice(0, 80), reason });
  };
  const { connectsAtOnce } = options;
  const turns = openTurns({
    atOnce: connectsAtOnce,
    // Half of the places are never one address's: its password checks may take seconds each.
    atOnceEach: Math.ceil(connectsAtOnce / 2),
    waitingMax: connectsAtOnce,
    waitMs: connectWaitMs,
  });
  async function decide(attempt: ConnectAttempt): Promise<ConnectDecision> {
    // Nobody is asked about a service, so it takes nobody's place and waits for none.
    if (attempt.username === servicesUsername) return decideConnect(attempt, rules);
    const decided = await turns.take({ key: addressKey(attempt.address) });
    if (decided === undefined) return { allow: false, reason: "busy" };
    return decideConnect(attempt, rules).finally(decided);
  }
  /** Until when it is let in, where this or another replica will be asked what it may do. */
  function remember({ clientId, judgesOwnTopics }: ConnectAttempt, { expiresAt, service, tree }: Allowed): void {
    if (judgesOwnTopics && !service && !tree) return;
    expiries.set(clientId, expiresAt);
    if (!service) share({ clientId, expiresAt: expiresAt ?? null });
  }
  return {
    async connect(attempt) {
      const decision = await decide(attempt);
      if (decision.allow) {
        remember(attempt, decision);
        count("connect", "allowed");
      } else refused("connect", attempt.clientId, decision.reason);
      // Presence had begun its session.
      if (!decision.allow && endedAgain.includes(decision.reason)) {
        const { clientId, connection } = attempt;
        tell({ event: "gone", clientId, at: Date.now(), ...(connection === undefined ? {} : { connection }) });
      }
      return decision;
    },
    isConnected: options.isConnected,
    publish(who, publication) {
      const decision = expiries.over(who.clientId) ? "deny" : decidePublish(who, publication);
      if (decision === "deny") refused("publish", who.clientId, expiries.over(who.clientId) ? "expired" : "topic");
      else count("publish", "allowed");
      return decision;
    },
    subscribe(who, filter) {
      const allowed = !expiries.over(who.clientId) && decideSubscribe(who, filter);
      if (allowed) count("subscribe", "allowed");
      else refused("subscribe", who.clientId, expiries.over(who.clientId) ? "expired" : "topic");
      return allowed;
    },
    maxAge: expiries.maxAge,
    session: tell,
    treeSession: options.tellSurely,
    filters: options.keepFilters,
    malformed: (hook, reason) => log.warn({ event: "hook_refused", hook: hook.slice(0, 40), reason }),
  };
}
