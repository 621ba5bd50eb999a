// Which client ids are connected here, which sessions wait, and what the hooks are told of both.
import { AppError } from "@parley/protocol";
import type { Logger } from "@parley/runtime";
import type { Hooks } from "./hooks.ts";

/** A device's connection, as sessions see it. */
export interface Member {
  clientId: string;
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
  /** Disconnects a client id and ends its session: false when nobody knew it. Rejects when the broker does not answer. */
  remove(clientId: string): Promise<boolean>;
  /** Ends what ran out by now. */
  sweep(now: number): void;
  /** Resolves when the hooks have been told all so far. */
  settled(): Promise<void>;
}

type SessionHook = "on_client_wakeup" | "on_client_offline" | "on_client_gone" | "on_session_expired";

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
  const waiting = new Map<string, { endsAt: number; byBroker: boolean }>();
  /** one chain a client id, so that its events arrive in order */
  const telling = new Map<string, Promise<unknown>>();

  function tell(clientId: string, hook: SessionHook): void {
    const before = telling.get(clientId) ?? Promise.resolve();
    const told = before.then(() => hooks.ask(hook, { mountpoint: "", client_id: clientId }));
    telling.set(clientId, told);
    void told.then(() => telling.get(clientId) === told && telling.delete(clientId));
  }

  function claim(member: Member): void {
    waiting.delete(member.clientId);
    members.set(member.clientId, [...(members.get(member.clientId) ?? []), member]);
  }

  function wake(member: Member): void {
    tell(member.clientId, "on_client_wakeup");
  }

  function leave(member: Member): void {
    const { clientId } = member;
    const others = (members.get(clientId) ?? []).filter((one) => one !== member);
    if (others.length > 0) {
      members.set(clientId, others);
      return;
    }
    members.delete(clientId);
    if (member.sessionExpirySeconds === 0) {
      tell(clientId, "on_client_gone");
      return;
    }
    waiting.set(clientId, {
      endsAt: Date.now() + member.sessionExpirySeconds * 1000,
      byBroker: member.version === 5,
    });
    tell(clientId, "on_client_offline");
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
    for (const [clientId, { endsAt, byBroker }] of waiting) {
      if (endsAt > now) continue;
      waiting.delete(clientId);
      if (byBroker) tell(clientId, "on_session_expired");
      else void expire(clientId);
    }
  }

  /** An MQTT 3.1.1 session never ends by itself on the broker. */
  async function expire(clientId: string): Promise<void> {
    const ended = await endSession(clientId);
    if (members.has(clientId)) return;
    if (ended === "failed") waiting.set(clientId, { endsAt: Date.now() + 10_000, byBroker: false });
    else tell(clientId, "on_session_expired");
  }

  return {
    claim,
    wake,
    leave,
    remove,
    sweep,
    connected: () => connectedOf(members),
    isTakenOver: (member) => members.get(member.clientId)?.at(-1) !== member,
    settled: async () => {
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
