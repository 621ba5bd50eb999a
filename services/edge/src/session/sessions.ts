// Which client ids are connected here, which sessions wait, and what the hooks are told of both.
import { AppError } from "@parley/protocol";
import type { Logger } from "@parley/runtime";
import type { Hooks } from "../hooks/hooks.ts";

/** A device's connection, as sessions see it. */
export interface Member {
  clientId: string;
  /** of this connection alone; its events carry it, so that they end no session at another edge */
  readonly connectionId: string;
  username: string | null;
  version: 4 | 5;
  transport: "tcp" | "ws";
  /** unix time in ms */
  connectedAt: number;
  /** how long the session outlives the connection, as last said */
  sessionExpirySeconds: number;
  /** disconnects because an operator or presence said so */
  remove(): void;
}

export interface Sessions {
  /** From the moment the broker is asked for the client id: what the one before it does now tells nothing any more. */
  claim(member: Member): void;
  wake(member: Member): void;
  leave(member: Member): void;
  connected(): Iterable<Member>;
  /** True when a newer connection has claimed the member's client id. */
  isTakenOver(member: Member): boolean;
  /** Resolves true when a newer connection is known to have begun at another edge; false as well when nobody answers. */
  isElsewhere(member: Member): Promise<boolean>;
  /** Disconnects a client id and ends its session: false when nobody knew it. Rejects when the broker does not answer. */
  remove(clientId: string): Promise<boolean>;
  /** Ends what ran out by now. */
  sweep(now: number): void;
  /** Resolves when the hooks have been told all so far. */
  settled(): Promise<void>;
}

interface Waiting {
  connectionId: string;
  endsAt: number;
  byBroker: boolean;
}

type SessionHook = "on_client_wakeup" | "on_client_offline" | "on_client_gone" | "on_session_expired";

const expireAgainMs = 10_000;
/** A broker looks for sessions that are over about once a second, by whole seconds: told before that, it may still hold one. */
const brokerLagMs = 2_000;
const waitingMax = 200_000;

/**
 * Kept in memory only: after a restart of the edge, what waited is forgotten here and ended by the device's next connect,
 * or by the broker's own `persistent_client_expiration`.
 */
export function startSessions({
  hooks,
  endSession,
  log,
}: {
  hooks: Hooks;
  endSession: (clientId: string) => Promise<"ended" | "unknown" | "failed">;
  log: Logger;
}): Sessions {
  /** newest last; more than one only while a take-over is under way */
  const members = new Map<string, Member[]>();
  /** disconnected persistent sessions: when they end, and whether the broker ends them itself */
  const waiting = new Map<string, Waiting>();
  const { tell, settled } = startTelling(hooks);

  function claim(member: Member): void {
    waiting.delete(member.clientId);
    members.set(member.clientId, [...(members.get(member.clientId) ?? []), member]);
  }

  function wake(member: Member): void {
    tell(member.clientId, "on_client_wakeup", member.connectionId);
  }

  function leave(member: Member): void {
    const { clientId, connectionId } = member;
    const others = (members.get(clientId) ?? []).filter((one) => one !== member);
    if (others.length > 0) {
      members.set(clientId, others);
      return;
    }
    members.delete(clientId);
    if (member.sessionExpirySeconds === 0) {
      tell(clientId, "on_client_gone", connectionId);
      return;
    }
    const byBroker = member.version === 5;
    const keptMs = member.sessionExpirySeconds * 1000 + (byBroker ? brokerLagMs : 0);
    waiting.set(clientId, { connectionId, endsAt: performance.now() + keptMs, byBroker });
    tell(clientId, "on_client_offline", connectionId);
  }

  async function remove(clientId: string): Promise<boolean> {
    const here = members.get(clientId) ?? [];
    const known = waiting.delete(clientId) || here.length > 0;
    for (const member of here) member.remove();
    const ended = await endSession(clientId);
    if (ended === "failed") throw new AppError("unavailable", "the broker did not end the session");
    if (here.length === 0 && (known || ended === "ended")) tell(clientId, "on_client_gone");
    log.info({ event: "session_removed", clientId, known, ended });
    return known || ended === "ended";
  }

  function sweep(now: number): void {
    let surplus = waiting.size - waitingMax;
    for (const [clientId, session] of waiting) {
      const isOver = session.endsAt <= now;
      // Of too many those that have waited longest: `sync` has what they miss.
      if (!isOver && surplus-- <= 0) continue;
      waiting.delete(clientId);
      if (isOver && session.byBroker) tell(clientId, "on_session_expired", session.connectionId);
      else void expire(clientId, session);
    }
  }

  /**
   * An MQTT 3.1.1 session never ends by itself on the broker. Its device may have come back through another edge, where
   * ending the session would disconnect it; that edge will see to it.
   */
  async function expire(clientId: string, session: Waiting): Promise<void> {
    const { verdict, error } = await hooks.ask("is_connected", { client_id: clientId });
    if (members.has(clientId) || waiting.has(clientId)) return;
    if (verdict === "refused" && error === "connected") return;
    const ended = verdict === "ok" ? await endSession(clientId) : "failed";
    if (members.has(clientId)) return;
    if (ended === "failed") waiting.set(clientId, { ...session, endsAt: performance.now() + expireAgainMs });
    else tell(clientId, "on_session_expired", session.connectionId);
  }

  return {
    claim,
    wake,
    leave,
    remove,
    sweep,
    connected: () => connectedOf(members),
    isTakenOver: (member) => members.get(member.clientId)?.at(-1) !== member,
    isElsewhere: startAsking(hooks),
    settled,
  };
}

/** A broker that ends drops all its connections at once, and then there is nothing to find out. */
const askedAtOnce = 64;

function startAsking(hooks: Hooks): Sessions["isElsewhere"] {
  let asking = 0;
  return async ({ clientId, connectionId }) => {
    if (asking >= askedAtOnce) return false;
    asking += 1;
    const question = { client_id: clientId, connection_id: connectionId };
    const { verdict, error } = await hooks.ask("is_connected", question).finally(() => {
      asking -= 1;
    });
    return verdict === "refused" && error === "connected";
  };
}

/** Tells of sessions: one chain a client id, so that its events arrive in order. */
function startTelling(hooks: Hooks) {
  const telling = new Map<string, Promise<unknown>>();
  return {
    tell(clientId: string, hook: SessionHook, connectionId?: string): void {
      const before = telling.get(clientId) ?? Promise.resolve();
      const named = connectionId === undefined ? {} : { connection_id: connectionId };
      const told = before.then(() => hooks.ask(hook, { mountpoint: "", client_id: clientId, ...named }));
      telling.set(clientId, told);
      void told.then(() => telling.get(clientId) === told && telling.delete(clientId));
    },
    async settled(): Promise<void> {
      while (telling.size > 0) await Promise.all(telling.values());
    },
  };
}

function* connectedOf(members: Map<string, Member[]>): Iterable<Member> {
  for (const list of members.values()) {
    const newest = list.findLast((member) => member.connectedAt > 0);
    if (newest !== undefined) yield newest;
  }
}
