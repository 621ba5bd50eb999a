// Tells the hooks of sessions: one chain a client id, so that its events arrive in order.
import { setTimeout as sleep } from "node:timers/promises";
import { backoffMs } from "@parley/protocol";
import { within } from "@parley/runtime";
import { type HookName, type Hooks, isDecided } from "../hooks/hooks.ts";
import type { FiltersChange } from "../tree/tree-device.ts";
import type { Member, SessionHook } from "./member.ts";

export interface Telling {
  tell(session: ToldSession, hook: SessionHook): void;
  /** As `tell`, but until a hook has taken it: of devices with trees presence keeps more than their connections. */
  insist(member: Member, hook: SessionHook): void;
  /** Resolves true when a hook has taken it, false when none did for `waitMs`; it is told all the same. */
  tellFilters(member: Member, change: FiltersChange): Promise<boolean>;
  /** Resolves when the hooks have been told all so far, each once at least. */
  settled(): Promise<void>;
}

/** Of what is told: a connection, or a session of which only this is known. */
export interface ToldSession extends Pick<Member, "clientId"> {
  connectionId?: string;
  hasOwnTopics?: boolean;
}

/** What waits behind what the hooks are being told of the same client id. */
interface Waiting {
  connectionId: string;
  /** QoS by filter; undefined: it was unsubscribed */
  filters: Map<string, number | undefined>;
  told: Promise<boolean>;
}

const pauses = { baseMs: 200, maxMs: 5000 };

export function startTelling(hooks: Hooks, waitMs: number): Telling {
  const chains = new Map<string, Promise<unknown>>();
  /** of a client id, when it is the last of its chain and has not begun */
  const waiting = new Map<string, Waiting>();
  const ending = new AbortController();

  function append<T>(clientId: string, step: () => Promise<T>): Promise<T> {
    waiting.delete(clientId);
    const before = chains.get(clientId) ?? Promise.resolve();
    const told = before.then(step);
    chains.set(clientId, told);
    void told.then(() => chains.get(clientId) === told && chains.delete(clientId));
    return told;
  }

  async function askUntilTaken(hook: HookName, body: object): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      if (isDecided(await hooks.ask(hook, body))) return true;
      if (ending.signal.aborted) return false;
      await sleep(backoffMs(attempt, pauses), undefined, { signal: ending.signal }).catch(() => {});
    }
  }

  async function askFilters(member: Member, { filters }: Waiting): Promise<boolean> {
    const named = { username: member.username, ...namesOf(member) };
    const added: { topic: string; qos: number }[] = [];
    const removed: string[] = [];
    for (const [topic, qos] of filters) {
      if (qos === undefined) removed.push(topic);
      else added.push({ topic, qos });
    }
    if (added.length > 0 && !(await askUntilTaken("on_subscribe", { ...named, topics: added }))) return false;
    return removed.length === 0 || askUntilTaken("on_unsubscribe", { ...named, topics: removed });
  }

  /** What comes while hooks are away gathers in one: the last word about each filter counts. */
  function gather(member: Member): Waiting {
    const { clientId, connectionId } = member;
    const last = waiting.get(clientId);
    if (last?.connectionId === connectionId) return last;
    const begun: Waiting = { connectionId, filters: new Map(), told: Promise.resolve(true) };
    begun.told = append(clientId, () => {
      if (waiting.get(clientId) === begun) waiting.delete(clientId);
      return askFilters(member, begun);
    });
    waiting.set(clientId, begun);
    return begun;
  }

  return {
    tell(session, hook) {
      const question = questionOf(session);
      void append(session.clientId, () => hooks.ask(hook, question));
    },
    insist(member, hook) {
      const { clientId, isResumed } = member;
      const present = hook === "on_client_wakeup" ? { session_present: isResumed } : {};
      void append(clientId, () => askUntilTaken(hook, { ...namesOf(member), ...present }));
    },
    async tellFilters(member, { added, removed }) {
      const { filters, told } = gather(member);
      for (const { topic, qos } of added) filters.set(topic, qos);
      for (const topic of removed) filters.set(topic, undefined);
      return (await within(waitMs, told)) && told;
    },
    async settled() {
      ending.abort();
      while (chains.size > 0) await Promise.all(chains.values());
    },
  };
}

function namesOf({ mountpoint, clientId, connectionId }: Member): object {
  return { mountpoint, client_id: clientId, connection_id: connectionId };
}

function questionOf({ clientId, connectionId, hasOwnTopics }: ToldSession): object {
  const named = connectionId === undefined ? {} : { connection_id: connectionId };
  return { mountpoint: "", client_id: clientId, ...named, ...(hasOwnTopics === true ? { own_topics: true } : {}) };
}
