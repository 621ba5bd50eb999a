// Compares sessions with the broker's own list: at start, after a Redis flush, and every minute (DESIGN §3 "Presence").
import { reservedClientId } from "@parley/protocol";
import type { Logger, Redis } from "@parley/runtime";
import type { BrokerClients } from "./broker-clients.ts";
import type { Devices } from "./devices.ts";
import { expiringKey } from "./session-script.ts";
import type { Sessions } from "./sessions.ts";

export interface ReconcileParts {
  redis: Redis;
  broker: BrokerClients;
  sessions: Sessions;
  devices: Devices;
  log: Logger;
  /** After each comparison. */
  onDone?(): void;
}

const markerKey = "presence:marker";
const turnKey = "presence:reconcile";
const lookMs = 2000;
/** A session younger than this may be on its way into the broker's list. */
const graceMs = 10_000;

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
      if (failing) log.info({ event: "broker_list_found" });
      failing = false;
      parts.onDone?.();
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

/** Throws when the list or Redis cannot be read; then nothing is ended. */
export async function reconcile({ redis, broker, sessions, devices, log }: ReconcileParts): Promise<void> {
  const at = Date.now();
  const listed = await broker.list();
  const known = await sessions.all();
  const connected = new Set<string>();
  let begun = 0;
  let ended = 0;
  for (const { clientId, connection } of listed) {
    connected.add(clientId);
    if (known.has(clientId) || reservedClientId.test(clientId)) continue;
    const uid = await devices.ownerOf(clientId);
    if (uid === undefined || !(await devices.claim(clientId, uid))) continue;
    // The time of the list, not of the connection: what ended since the list was made stays ended.
    await sessions.change({ op: "listed", uid, clientId, at, ...(connection === undefined ? {} : { connection }) });
    begun += 1;
  }
  for (const [clientId, since] of known) {
    if (connected.has(clientId) || since > at - graceMs) continue;
    const uid = await devices.ownerOf(clientId);
    if (uid === undefined) continue;
    await sessions.change({ op: "drop", uid, clientId, at: since });
    ended += 1;
  }
  const expired = await redis.zrangebyscore(expiringKey, "-inf", Math.floor(at / 1000));
  for (const clientId of expired.filter((one) => connected.has(one))) {
    log.info({ event: "expired_disconnected", clientId });
    await broker.disconnect(clientId);
  }
  if (begun + ended > 0) log.info({ event: "reconciled", listed: listed.length, begun, ended });
}
