// Which client ids are connected here, which sessions wait, and what the hooks are told of both.
import { AppError, servicesUsername } from "@parley/protocol";
import type { Logger } from "@parley/runtime";
import type { FoundRecord, Records } from "../broker/records.ts";
import type { Hooks } from "../hooks/hooks.ts";
import { askWhere, openAway } from "./away.ts";
import { openForgotten } from "./forgotten.ts";
import type { Member, SessionHook } from "./member.ts";
import { type OwnSessions, openOwnSessions } from "./own-sessions.ts";
import { startTelling, type Telling } from "./telling.ts";
import type { WriteDown } from "./write-down.ts";

export interface Sessions {
  /** From the moment the broker is asked for the client id: what the one before it does now tells nothing any more. */
  claim(member: Member): void;
  wake(member: Member): void;
  leave(member: Member): void;
  /** What a device with a tree has subscribed and unsubscribed. */
  tellFilters: Telling["tellFilters"];
  /** Sessions found written down at the broker wait here from now on, unless their devices are here. */
  learn(found: readonly FoundRecord[]): void;
  /** Ends the session of a device that has just left. */
  endAway(clientId: string): void;
  connected(): Iterable<Member>;
  /** True when a newer connection has claimed the member's client id. */
  isTakenOver(member: Member): boolean;
  /** Resolves true when a newer connection is known to have begun at another edge; false as well when nobody answers. */
  isElsewhere(member: Member): Promise<boolean>;
  /** Disconnects a client id and ends its session: false when nobody knew it. Rejects when the broker does not answer. */
  remove(clientId: string): Promise<boolean>;
  /** Ends what ran out by now. */
  sweep(now: number): void;
  /** Ends so many sessions whose devices are away, longest away first; answers how many do. */
  endLongestAway(count: number): number;
  /** Resolves when the hooks have been told all so far. */
  settled(): Promise<void>;
  /** By whom sessions are, connected and away. */
  readonly own: OwnSessions<Member>;
  /** The newest connection of a client id; undefined: there is none, or one takes over. */
  only(clientId: string): Member | undefined;
}

export interface SessionParts {
  hooks: Hooks;
  endSession: (clientId: string) => Promise<"ended" | "unknown" | "failed">;
  /** sessions of one user whose devices are away */
  awayMax: number;
  /** how long a device with a tree waits until the hooks know what it has subscribed */
  tellWaitMs: number;
  records: Records;
  writeDown: Pick<WriteDown, "keep">;
  log: Logger;
}

/** Kept in memory; `records` are what the next edge learns them from. */
export function startSessions(parts: SessionParts): Sessions {
  const { hooks, endSession, awayMax, tellWaitMs, records, writeDown, log } = parts;
  /** newest last; more than one only while a take-over is under way */
  const members = new Map<string, Member[]>();
  const { tell, insist, tellFilters, settled } = startTelling(hooks, tellWaitMs);
  const tellOf = (member: Member, hook: SessionHook): void =>
    member.hasTree ? insist(member, hook) : tell(member, hook);
  const isHere = (clientId: string) => members.has(clientId);
  // Services may hear everybody's topics.
  const own = openOwnSessions<Member>(servicesUsername);
  const away = openAway({ hooks, endSession, userMax: awayMax, isHere, tell, records, own });
  const forgotten = openForgotten(away);

  function claim(member: Member): void {
    forgotten.claimed(member.clientId);
    members.set(member.clientId, [...(members.get(member.clientId) ?? []), member]);
    own.add(member);
  }

  function wake(member: Member): void {
    forgotten.over(member.clientId);
    writeDown.keep(member);
    tellOf(member, "on_client_wakeup");
  }

  function leave(member: Member): void {
    const { clientId } = member;
    const others = (members.get(clientId) ?? []).filter((one) => one !== member);
    if (others.length > 0) members.set(clientId, others);
    else members.delete(clientId);
    if (others.length === 0) leaveAlone(member);
    // Behind: no moment in which its session is nowhere.
    own.remove(member);
  }

  function leaveAlone(member: Member): void {
    const { clientId } = member;
    if (forgotten.putBack(member)) return;
    if (member.sessionExpirySeconds === 0) {
      records.drop(clientId);
      tellOf(member, "on_client_gone");
      return;
    }
    away.add(member);
    tellOf(member, "on_client_offline");
  }

  async function remove(clientId: string): Promise<boolean> {
    const here = members.get(clientId) ?? [];
    const known = away.forget(clientId) !== undefined || here.length > 0;
    forgotten.over(clientId);
    for (const member of here) member.remove();
    const ended = await endSession(clientId);
    if (ended === "failed") throw new AppError("unavailable", "the broker did not end the session");
    records.drop(clientId);
    if (here.length === 0 && (known || ended === "ended")) tell({ clientId }, "on_client_gone");
    log.info({ event: "session_removed", clientId, known, ended });
    return known || ended === "ended";
  }

  return {
    claim,
    wake,
    leave,
    tellFilters,
    remove,
    learn: away.learn,
    endAway: away.end,
    sweep: away.sweep,
    endLongestAway: away.endLongestAway,
    connected: () => connectedOf(members),
    isTakenOver: (member) => members.get(member.clientId)?.at(-1) !== member,
    isElsewhere: startAsking(hooks),
    settled,
    own,
    only: (clientId) => onlyOne(members.get(clientId)),
  };
}

/** A broker that ends drops all its connections at once, and then there is nothing to find out. */
const askedAtOnce = 64;

function startAsking(hooks: Hooks): Sessions["isElsewhere"] {
  let asking = 0;
  return async ({ clientId, connectionId }) => {
    if (asking >= askedAtOnce) return false;
    asking += 1;
    const where = await askWhere(hooks, clientId, connectionId).finally(() => {
      asking -= 1;
    });
    return where === "elsewhere";
  };
}

function onlyOne(found: readonly Member[] | undefined): Member | undefined {
  return found?.length === 1 ? found[0] : undefined;
}

function* connectedOf(members: Map<string, Member[]>): Iterable<Member> {
  for (const list of members.values()) {
    const newest = list.findLast((member) => member.connectedAt > 0);
    if (newest !== undefined) yield newest;
  }
}
