// Compares sessions with the broker's own list: at start, after a Redis flush, and every minute.
import { reservedClientId, uidOfClientId } from "@parley/protocol";
import type { Logger, Redis } from "@parley/runtime";
import { type AwayLimits, endSurplus } from "./away.ts";
import type { BrokerClient, BrokerClients } from "./brokers/broker.ts";
import type { DeviceDoc, Devices } from "./devices.ts";
import type { Begin } from "./sessions/begin.ts";
import { expiringKey } from "./sessions/keys.ts";
import type { Sessions } from "./sessions/sessions.ts";
import type { TreeAccounts } from "./trees/accounts.ts";
import { type LiveTrees, plantedTree, userOf } from "./trees/live.ts";

export interface ReconcileParts {
  redis: Redis;
  broker: BrokerClients;
  sessions: Sessions;
  devices: Devices;
  begin: Begin;
  live: Pick<LiveTrees, "many" | "userOf">;
  accounts: Pick<TreeAccounts, "of">;
  /** of sessions whose devices are away */
  limits: AwayLimits;
  log: Logger;
  /** After each comparison. */
  onDone?(): void;
}

const markerKey = "presence:marker";
const turnKey = "presence:reconcile";
const tidyKey = "presence:tidied";
const tidySeconds = 3600;
const lookMs = 2000;
/** A session younger than this may be on its way into the broker's list. */
const graceMs = 10_000;
const treesAtOnce = 500;

export interface Reconciling {
  /** Compares as soon as what happens now can be told from the broker's list. */
  soon(): void;
  close(): Promise<void>;
}

/** Every replica compares at its start; later one of them does. */
export function startReconcile(parts: ReconcileParts, everySeconds: number): Reconciling {
  const { redis, log } = parts;
  let started = false;
  let failing = false;
  let closed = false;
  let timer: NodeJS.Timeout;

  async function look(): Promise<void> {
    if (redis.status !== "ready") return;
    try {
      // The marker is gone when Redis was flushed or lost its data; who sets it again compares.
      const flushed = (await redis.set(markerKey, "1", "NX")) === "OK";
      const turn = await redis.set(turnKey, "1", "PX", everySeconds * 1000, "NX");
      if (!(flushed || turn === "OK" || !started)) return;
      await reconcile(parts).catch(async (error: unknown) => {
        await redis.del(turnKey);
        if (flushed) await redis.del(markerKey);
        throw error;
      });
      started = true;
      // Who had only just come then is looked for when it can be told.
      if (flushed) await redis.pexpire(turnKey, graceMs, "LT");
      if (failing) log.info({ event: "broker_list_found" });
      failing = false;
      parts.onDone?.();
      await endSurplus(parts, parts.limits).catch((error: unknown) =>
        log.warn({ event: "sessions_away_not_ended", reason: String(error) }),
      );
      await tidy(parts);
    } catch (error) {
      if (!failing) log.warn({ event: "waiting", what: "broker's list of clients", reason: String(error) });
      failing = true;
    }
  }

  let looking = Promise.resolve();
  const next = () => {
    looking = look().finally(() => {
      if (!closed) timer = setTimeout(next, lookMs);
    });
  };
  next();
  return {
    soon() {
      redis.pexpire(turnKey, graceMs, "LT").catch(() => undefined);
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await looking;
    },
  };
}

/** One of the replicas, once an hour. */
async function tidy({ redis, broker, log }: ReconcileParts): Promise<void> {
  if (!broker.tidy || (await redis.set(tidyKey, "1", "EX", tidySeconds, "NX")) !== "OK") return;
  await broker.tidy().catch((error: unknown) => log.warn({ event: "broker_not_tidied", reason: String(error) }));
}

/** Throws when the list or Redis cannot be read; then nothing is ended. */
export async function reconcile(parts: ReconcileParts): Promise<void> {
  const { redis, broker, sessions, log } = parts;
  const at = Date.now();
  const listed = await broker.list();
  const known = await sessions.all();
  const connected = new Set<string>();
  let begun = 0;
  let ended = 0;
  for (const client of listed) {
    const { clientId } = client;
    if (reservedClientId.test(clientId)) continue;
    if (client.uid === undefined) {
      await cutStranger(parts, clientId);
      continue;
    }
    connected.add(clientId);
    if (!known.has(clientId) && (await beginListed(parts, client, at))) begun += 1;
  }
  await findTrees(parts, listed, at);
  for (const [clientId, since] of known) {
    if (connected.has(clientId) || since > at - graceMs) continue;
    const uid = await userOf(parts, clientId);
    if (uid === undefined) continue;
    await sessions.change({ op: "drop", uid, clientId, at: since });
    ended += 1;
  }
  const expired = await redis.zrangebyscore(expiringKey, "-inf", Math.floor(at / 1000));
  for (const clientId of expired.filter((one) => connected.has(one))) {
    log.info({ event: "expired_disconnected", clientId });
    await endConnection(parts, clientId);
  }
  if (begun + ended > 0) log.info({ event: "reconciled", listed: listed.length, begun, ended });
}

/** What connected while the broker authenticated nobody may do nothing there: cut, it comes again and is authenticated. */
async function cutStranger({ broker, log }: ReconcileParts, clientId: string): Promise<void> {
  log.info({ event: "stranger_disconnected", clientId: clientId.slice(0, 80) });
  await broker.disconnect(clientId);
}

async function beginListed(
  { devices, begin }: ReconcileParts,
  { clientId, uid, connectedAt, connection, hasTree }: BrokerClient,
  at: number,
): Promise<boolean> {
  if (hasTree) return false;
  const owner = await devices.ownerOf(clientId);
  if (uid === undefined || owner === undefined) return false;
  if (uidOfClientId(clientId) !== undefined && owner !== uid) return false;
  if (!(await devices.claim(clientId, owner))) return false;
  // `at` is the list's time: what ended since the list was made stays ended. `since` is told by its end, too.
  const since = connectedAt === undefined ? {} : { since: connectedAt };
  const named = connection === undefined ? {} : { connection };
  await begin({ op: "listed", uid: owner, clientId, at, ...since, ...named });
  return true;
}

/**
 * Connected devices whose trees are not known, as Redis has lost them. One that goes on with a session of before goes on with what
 * is kept of it; any other is cut, and comes again.
 */
async function findTrees(parts: ReconcileParts, listed: readonly BrokerClient[], at: number): Promise<void> {
  const { live, devices, broker, log } = parts;
  const settled = listed.filter(({ hasTree, connectedAt = 0 }) => hasTree && connectedAt < at - graceMs);
  for (let from = 0; from < settled.length; from += treesAtOnce) {
    const some = settled.slice(from, from + treesAtOnce);
    const clientIds = some.map(({ clientId }) => clientId);
    const there = new Set((await live.many(clientIds)).map(({ clientId }) => clientId));
    const lost = some.filter(({ clientId }) => !there.has(clientId));
    const known = await devices.manyKnown(lost.map(({ clientId }) => clientId));
    for (const client of lost) {
      if (await arrive(parts, client)) continue;
      if (await goOn(parts, client, known.get(client.clientId), at)) continue;
      log.info({ event: "lost_tree_disconnected", clientId: client.clientId.slice(0, 80) });
      await broker.disconnect(client.clientId);
    }
  }
}

/** It was let in, and that its connection is there was not told. */
async function arrive({ live, begin }: ReconcileParts, client: BrokerClient): Promise<boolean> {
  const { clientId, uid = "", connectedAt, connection } = client;
  if ((await live.userOf(clientId)) !== uid) return false;
  const named = connection === undefined ? {} : { connection };
  await begin({ op: "connected", uid, clientId, at: connectedAt ?? Date.now(), ...named });
  return true;
}

/** false: nothing is kept of its session. */
async function goOn(
  { begin, accounts }: ReconcileParts,
  { clientId, uid = "", connectedAt, connection }: BrokerClient,
  known: DeviceDoc | undefined,
  at: number,
): Promise<boolean> {
  if (known?.session === undefined || known.session.isOver || known.uid !== uid) return false;
  const { filters, username, protocol } = known.session;
  const tree = plantedTree({
    accounts: await accounts.of(uid, clientId),
    persistent: true,
    connectedAt: connectedAt ?? at,
    filters,
    ...(known.dialect === undefined ? {} : { dialect: known.dialect }),
    ...(username === undefined ? {} : { username }),
    ...(protocol === undefined ? {} : { protocol }),
  });
  const since = connectedAt === undefined ? {} : { since: connectedAt };
  await begin({ op: "listed", uid, clientId, at, tree, ...since, ...(connection === undefined ? {} : { connection }) });
  return true;
}

/** Not every broker tells of an end that it was asked for. A connection that began meanwhile is another session. */
async function endConnection(parts: ReconcileParts, clientId: string): Promise<void> {
  const { broker, sessions } = parts;
  const uid = await userOf(parts, clientId);
  const session = uid === undefined ? undefined : await sessions.of(uid, clientId);
  await broker.disconnect(clientId);
  if (uid !== undefined && session) await sessions.change({ op: "drop", uid, clientId, at: session.at });
}
