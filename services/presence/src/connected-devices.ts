// Which devices of many users are there, for whoever notifies those that are not.
import {
  type AccountsReply,
  AppError,
  isUid,
  type PushPresenceReply,
  type PushPresenceRequest,
  pushAskedMax,
  subjects,
} from "@parley/protocol";
import { type Logger, type NatsConnection, requestJson } from "@parley/runtime";
import type { Sessions, StoredSession } from "./sessions/sessions.ts";
import type { LiveTrees } from "./trees/live.ts";

export interface ConnectedParts {
  nats: NatsConnection;
  sessions: Pick<Sessions, "ofUsers">;
  live: Pick<LiveTrees, "areThere" | "accountsOf">;
  log: Logger;
}

const accountsMs = 1_000;

/** Throws while Redis is away: who is there is not known then. */
export async function connectedDevices(
  parts: ConnectedParts,
  { uids }: PushPresenceRequest,
): Promise<PushPresenceReply> {
  if (!Array.isArray(uids) || uids.length > pushAskedMax || !uids.every((uid) => typeof uid === "string" && isUid(uid)))
    throw new AppError("invalid_packet", `uids: at most ${pushAskedMax} ids of users`);
  const [found, areTrees] = await Promise.all([parts.sessions.ofUsers([...new Set(uids)]), parts.live.areThere()]);
  if (areTrees) await addShared(parts, found);
  const there = [...found].flatMap(([uid, devices]): [string, PushPresenceReply["users"][string]][] => {
    if (devices.size === 0) return [];
    const isBusy = [...devices.values()].some(({ show }) => show === "dnd");
    const rows = [...devices].map(([clientId, { active }]) => ({ clientId, active }));
    return [[uid, { ...(isBusy && { dnd: true as const }), devices: rows }]];
  });
  // A user may be called `__proto__`, which an assignment would take for something else.
  return { users: Object.fromEntries(there) };
}

// A device with a tree is there for every account of its login: what any of them is told, it has.
async function addShared(
  { nats, sessions, live, log }: ConnectedParts,
  found: Map<string, Map<string, StoredSession>>,
): Promise<void> {
  const sharers = sharersOf(await accountsOf(nats, [...found.keys()], log));
  if (sharers.size === 0) return;
  const owners = await sessions.ofUsers([...sharers.keys()]);
  const devices = [...owners].flatMap(([owner, ofOwner]) =>
    [...ofOwner].map(([clientId, session]) => ({ owner, clientId, session })),
  );
  const acts = await live.accountsOf(devices.map(({ clientId }) => clientId));
  for (const { owner, clientId, session } of devices)
    for (const uid of sharers.get(owner) ?? [])
      if (acts.get(clientId)?.includes(uid)) found.get(uid)?.set(clientId, session);
}

/** Of each account those that share its login and were asked for. */
function sharersOf(accounts: AccountsReply["accounts"]): ReadonlyMap<string, string[]> {
  const sharers = new Map<string, string[]>();
  for (const [uid, all] of Object.entries(accounts))
    for (const other of all) if (other !== uid) sharers.set(other, [...(sharers.get(other) ?? []), uid]);
  return sharers;
}

async function accountsOf(nats: NatsConnection, uids: string[], log: Logger): Promise<AccountsReply["accounts"]> {
  try {
    return (await requestJson<AccountsReply>(nats, subjects.accountsOf, { uids }, { timeoutMs: accountsMs })).accounts;
  } catch (error) {
    // Then such a device is notified of what it has: that is better than that nobody is.
    log.debug({ event: "accounts_not_asked", count: uids.length, reason: String(error) });
    return {};
  }
}
