// Sessions of devices, kept in Redis; while Redis is away the changes wait here and are made when it is back.
import { type Logger, openRounds, type Redis } from "@parley/runtime";
import {
  changeSessions,
  type DeviceShow,
  type MadeWith,
  readStates,
  type SessionChange,
  type SessionOutcome,
  type Told,
} from "./change.ts";
import { sessionsKey, toldKey, userKey } from "./keys.ts";
import { answersOf } from "./pipeline.ts";
import { settleUsers } from "./settle.ts";
import { openWaiting } from "./waiting.ts";

export interface StoredSession extends MadeWith {
  at: number;
  active: boolean;
  /** absent: of a session that an older version began */
  show?: DeviceShow;
  /** the connection's name, where the broker has one */
  connection?: string;
}

export interface Sessions {
  /** Makes a change, now or when Redis is back; resolves when it is made or waits. Never rejects. */
  change(change: SessionChange): Promise<void>;
  /** Throws while Redis is away. */
  ofUser(uid: string): Promise<Map<string, StoredSession>>;
  /** The same of many, in one round. Throws while Redis is away. */
  ofUsers(uids: readonly string[]): Promise<Map<string, Map<string, StoredSession>>>;
  /** The user's session of that device, if it is connected as far as is known. Throws while Redis is away. */
  of(uid: string, clientId: string): Promise<StoredSession | undefined>;
  /** Every session: clientId → unix ms of its begin. Throws while Redis is away. */
  all(): Promise<Map<string, number>>;
  /** How users are there; who has no session is missing. Throws while Redis is away. */
  told(uids: readonly string[]): Promise<Map<string, Told>>;
  close(): void;
}

export interface SessionsOptions {
  redis: Redis;
  offlineDelayMs: number;
  log: Logger;
  /** Others are to be told of a user, so many ms from now. */
  onDue(dueMs: number): void;
  /** A device was inactive, and is no longer. */
  onWake(uid: string, clientId: string): void;
  /** A device's session ended. */
  onEnd(clientId: string, at: number): void;
  /** A device with a tree is there, or its connection ended. */
  onTree(told: ToldTree): void;
  /** Redis was away, and what waited here was written: between replicas in no order. */
  onReplayed(): void;
}

export type ToldTree = { user: string; clientId: string } & NonNullable<SessionOutcome["tree"]>;

const sweepMs = 5000;
const retryMs = 1000;
const sweepUsers = 200;
const timersAtMost = 1000;
/** Redis does nothing else meanwhile: some ms. */
const changesAtOnce = 64;

export function openSessions(options: SessionsOptions): Sessions {
  const { redis, offlineDelayMs, log, onDue, onWake, onEnd, onReplayed, onTree } = options;
  const waiting = openWaiting(log);
  const timers = new Set<NodeJS.Timeout>();

  const changed = openRounds({
    most: changesAtOnce,
    work: (changes: readonly SessionChange[]) => changeSessions(redis, changes, offlineDelayMs),
  });

  async function make(change: SessionChange): Promise<void> {
    const { applied, dueMs, leaving, wakes, tree } = await changed(change);
    if (tree) onTree({ user: change.uid, clientId: change.clientId, ...tree });
    if (applied && (change.op === "end" || change.op === "drop")) onEnd(change.clientId, Date.now());
    if (dueMs !== undefined) onDue(dueMs);
    if (wakes) onWake(change.uid, change.clientId);
    if (leaving) soon(offlineDelayMs + 5);
  }

  async function change(change: SessionChange): Promise<void> {
    // Behind what waits already: the order within a device is kept.
    if (waiting.has(change.clientId)) return waiting.add(change);
    try {
      await make(change);
    } catch (error) {
      log.debug({ event: "session_waits", clientId: change.clientId, reason: String(error) });
      waiting.add(change);
      soon(retryMs);
    }
  }

  async function sweep(): Promise<void> {
    if (redis.status !== "ready") return;
    if (!waiting.isEmpty()) {
      if (await waiting.replay(make)) onReplayed();
      else soon(retryMs);
    }
    try {
      const { settled, dueMs } = await settleUsers(redis, { limit: sweepUsers, offlineDelayMs });
      if (dueMs !== undefined) onDue(dueMs);
      if (settled === sweepUsers) soon(0);
    } catch (error) {
      log.warn({ event: "sweep_failed", reason: String(error) });
    }
  }

  function soon(delayMs: number): void {
    if (timers.size >= timersAtMost) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      void sweep();
    }, delayMs);
    timers.add(timer);
  }

  // Also finds those whose replica died before their delay was over.
  const regularly = setInterval(() => void sweep(), sweepMs);
  const onReady = () => void sweep();
  redis.on("ready", onReady);
  return {
    change,
    ...reading(redis),
    close() {
      redis.off("ready", onReady);
      clearInterval(regularly);
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

function reading(redis: Redis): Pick<Sessions, "ofUser" | "ofUsers" | "of" | "all" | "told"> {
  return {
    ofUser: async (uid) => readSessions(await redis.hgetall(userKey(uid))),
    async ofUsers(uids) {
      const asked = redis.pipeline();
      for (const uid of uids) asked.hgetall(userKey(uid));
      const answers = await answersOf(asked);
      return new Map(uids.map((uid, at) => [uid, readSessions(answers[at] as Record<string, string>)]));
    },
    async of(uid, clientId) {
      const text = await redis.hget(userKey(uid), clientId);
      return text === null ? undefined : (JSON.parse(text) as StoredSession);
    },
    async all() {
      const flat = await redis.zrange(sessionsKey, "0", "-1", "WITHSCORES");
      const sessions = new Map<string, number>();
      for (let i = 0; i < flat.length; i += 2) sessions.set(String(flat[i]), Number(flat[i + 1]));
      return sessions;
    },
    async told(uids) {
      return uids.length === 0 ? new Map() : readStates(uids, await redis.mget(uids.map(toldKey)));
    },
  };
}

function readSessions(kept: Record<string, string>): Map<string, StoredSession> {
  return new Map(Object.entries(kept).map(([clientId, text]) => [clientId, JSON.parse(text) as StoredSession]));
}
