// Whose contacts are to be told something: taken by one of the replicas at a time, at most once a second for each user.
// What is told is what is so when it is told, so that whoever flaps is told of once. A replica that dies between taking
// and telling leaves it to the others; one that took too long tells nothing any more.
import { randomUUID } from "node:crypto";
import type { Logger, Redis } from "@parley/runtime";
import type { Told } from "../sessions/change.ts";
import { dueKey, leftPrefix, pacedPrefix, sentPrefix, takenPrefix, toldKey } from "../sessions/keys.ts";
import { tellScript } from "../sessions/settle.ts";

/** A user whose contacts are to be told. */
export interface Due {
  uid: string;
  /** unix ms: when the user was last seen, if it is offline */
  leftAt: number;
  /** by then another replica may tell */
  isLate(): boolean;
}

export interface DueNotices {
  /** Something is due, so many ms from now. */
  wake(inMs: number): void;
  close(): Promise<void>;
}

export interface DueOptions {
  redis: Redis;
  /** contacts are told of one user this often at most */
  paceMs: number;
  /** Resolves with what was told; undefined: that it is offline. Rejects: it is tried again. */
  tell(due: Due): Promise<Told | undefined>;
  log: Logger;
}

const atOnce = 32;
/** So long a replica may take to tell before another one does. */
const leaseMs = 5000;
/** By so much a replica is rather early to think that it took too long. */
const doubtMs = 1000;
const regularMs = 5000;

// Of one user one replica tells at a time.
const takeScript = `${tellScript}
local taken = {}
for _, uid in ipairs(redis.call("ZRANGEBYSCORE", KEYS[1], "-inf", now, "LIMIT", 0, ARGV[1])) do
  local busy = redis.call("PTTL", ARGV[9] .. uid)
  if busy > 0 then
    redis.call("ZADD", KEYS[1], now + busy, uid)
  elseif seen(redis.call("GET", ARGV[5] .. uid)) == (redis.call("GET", ARGV[6] .. uid) or "") then
    redis.call("ZREM", KEYS[1], uid)
  else
    redis.call("ZADD", KEYS[1], now + ARGV[2], uid)
    redis.call("SET", ARGV[9] .. uid, ARGV[4], "PX", ARGV[2])
    redis.call("SET", ARGV[6] .. uid, ARGV[10])
    if tonumber(ARGV[3]) > 0 then redis.call("SET", ARGV[7] .. uid, 1, "PX", ARGV[3]) end
    taken[#taken + 1] = { uid, redis.call("GET", ARGV[8] .. uid) or tostring(now) }
  end
end
local first = redis.call("ZRANGE", KEYS[1], 0, 0, "WITHSCORES")
return { taken, first[2] and math.max(0, first[2] - now) or -1 }`;

// What changed meanwhile is due again, when contacts may be told again. Where another replica took the user meanwhile, what was told
// now may have come behind what is so: it is told again. Answers in how many ms, or -1.
const toldScript = `${tellScript}
local due, told, sent, paced, left, taken = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local uid, token, text = ARGV[1], ARGV[2], ARGV[3]
if redis.call("GET", taken) == token then
  redis.call("DEL", taken)
  if text == "" then redis.call("DEL", sent, left) else redis.call("SET", sent, text) end
  if seen(redis.call("GET", told)) == text then
    redis.call("ZREM", due, uid)
    return -1
  end
else
  redis.call("SET", sent, ARGV[4])
end
local wait = math.max(0, redis.call("PTTL", paced))
redis.call("ZADD", due, now + wait, uid)
return wait`;

/** Stands for what was last told while somebody is being told: that a change and its undoing are no change is not known then. */
const untold = "?";

export function openDue({ redis, paceMs, tell, log }: DueOptions): DueNotices {
  const running = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let timerAt = Number.POSITIVE_INFINITY;
  let taking: Promise<void> | undefined;
  let closed = false;

  async function tellOne(token: string, since: number, [uid, leftAt]: [string, string]): Promise<void> {
    try {
      const isLate = () => performance.now() > since + leaseMs - doubtMs;
      const state = await tell({ uid, leftAt: Number(leftAt), isLate });
      const text = state === undefined ? "" : `${state.show} ${state.status}`;
      const keys = [dueKey, toldKey(uid), ...[sentPrefix, pacedPrefix, leftPrefix, takenPrefix].map((of) => of + uid)];
      const dueMs = (await redis.eval(toldScript, keys.length, ...keys, uid, token, text, untold)) as number;
      if (dueMs >= 0) wake(dueMs);
    } catch (error) {
      log.debug({ event: "not_told", uid, reason: String(error) });
    }
  }

  async function take(): Promise<void> {
    const room = atOnce - running.size;
    if (redis.status !== "ready" || room === 0 || closed) return;
    const prefixes = [toldKey(""), sentPrefix, pacedPrefix, leftPrefix, takenPrefix];
    const [token, since] = [randomUUID(), performance.now()];
    const reply = await redis.eval(takeScript, 1, dueKey, room, leaseMs, paceMs, token, ...prefixes, untold);
    const [taken, nextMs] = reply as [[string, string][], number];
    for (const one of taken) {
      const work = tellOne(token, since, one).finally(() => {
        running.delete(work);
        if (running.size === atOnce - 1) wake(0);
      });
      running.add(work);
    }
    if (nextMs >= 0) wake(nextMs);
  }

  function wake(inMs: number): void {
    const at = performance.now() + inMs;
    if (closed || at >= timerAt) return;
    clearTimeout(timer);
    timerAt = at;
    timer = setTimeout(() => {
      timerAt = Number.POSITIVE_INFINITY;
      const before = taking ?? Promise.resolve();
      taking = before.then(take).catch((error: unknown) => log.warn({ event: "due_not_taken", reason: String(error) }));
    }, inMs);
  }

  // Also finds what another replica took and did not tell.
  const regularly = setInterval(() => wake(0), regularMs);
  return {
    wake,
    async close() {
      closed = true;
      clearInterval(regularly);
      clearTimeout(timer);
      await taking;
      await Promise.all(running);
    },
  };
}
