// What presence keeps in Redis, by name. All of it may vanish, and comes back.
import { ingestPartition } from "@parley/protocol/partition";

/** Sorted set: clientId of every session, by unix ms of its begin. */
export const sessionsKey = "presence:sessions";
/** Sorted set: users without a session who are about to be offline, by when (ms, the clock of Redis). */
export const leavingKey = "presence:leaving";
/** Sorted set: clientId, by unix s when its credential ends. */
export const expiringKey = "presence:expiring";
/** Sorted set: whose contacts are to be told something, by when (ms, the clock of Redis). */
export const dueKey = "presence:due";

/** Hash: clientId → {uid, since}, of sessions that look invisible until the store says whether they are. */
export const unsureKey = "presence:unsure";
/** Hash: clientId → what the device said last about being invisible, until that is kept and a while longer. */
export const saidKey = "presence:said";

/** Hash: clientId → session as JSON. */
export function userKey(uid: string): string {
  return `presence:user:${uid}`;
}

/** How the user is there: `{show} {status}`; absent when it is offline. */
export function toldKey(uid: string): string {
  return `presence:told:${uid}`;
}

/** What contacts were last told of the user, as at `toldKey`; absent when that is offline. */
export const sentPrefix = "presence:sent:";
/** There while contacts are not to be told of the user again. */
export const pacedPrefix = "presence:paced:";
/** When the user was last seen (unix ms), until that is kept. */
export const leftPrefix = "presence:left:";
/** Who is telling the user's contacts just now: a token. */
export const takenPrefix = "presence:taken:";

/** Random, anew with each change of whom the user is shown to. */
export function turnKey(uid: string): string {
  return `presence:turn:${uid}`;
}

/** Sorted set, by name: the client ids of connected devices with trees whose ingest partition is `p`. */
export function treesKey(p: string): string {
  return `presence:trees:${p}`;
}

/** Hash: of a connected device with a tree {user, base, accounts, persistent, version, dialect, connection}. */
export function treeKey(clientId: string): string {
  return `presence:tree:${clientId}`;
}

/** Set: what such a device has subscribed. */
export function filtersKey(clientId: string): string {
  return `presence:filters:${clientId}`;
}

/** Hash: of a session that ended lately, so that what is told late makes no ghost. */
export function endedKey(clientId: string): string {
  return `presence:ended:${clientId}`;
}

/** Behind the key of a tree, or of what it has subscribed: the same of a connection that was let in and is not there yet. */
export const nextSuffix = " next";

/** tree, filters, and the same of a connection that was let in and is not there yet; trees. */
export function keysOfTree(clientId: string): string[] {
  const own = [treeKey(clientId), filtersKey(clientId)];
  return [...own, ...own.map((key) => key + nextSuffix), treesKey(ingestPartition(clientId))];
}

/** Sorted set: tokens of those who tell of the user, or its contacts to it, just now; by when they are given up. */
export function tellingKey(uid: string): string {
  return `presence:telling:${uid}`;
}
