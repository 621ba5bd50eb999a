// Whose contacts are to be told something: taken by one of the replicas at a time, at most once a second for each user.
// What is told is what is so when it is told, so that whoever flaps is told of once. A replica that dies between taking
// and telling leaves it to the others.
import type { Logger, Redis } from "@parley/runtime";
import { dueKey, leftPrefix, pacedPrefix, readTold, sentPrefix, type Told, toldKey } from "../sessions/change.ts";

/** What contacts are to be told of a user. */
export interface Due {
  uid: string;
  /** undefined: offline */
  state: Told | undefined;
  /** unix ms: when the user was last seen, if it is offline */
  leftAt: number;
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
  /** Rejects: it is tried again. */
  tell(due: Due): Promise<void>;
  log: Logger;
}

const atOnce = 32;
/** So long a replica may take to tell before another one does. */
const leaseMs = 5000;
const regularMs = 5000;

// `seen` is how it looks to others: nothing of who is invisible.
const takeScript = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local until_, taken = now + ARGV[2], {}
for _, uid in ipairs(redis.call("ZRANGEBYSCORE", KEYS[1], "-inf", now, "LIMIT", 0, ARGV[1])) do
  local seen = redis.call("GET", ARGV[4] .. uid) or ""
  if string.sub(seen, 1, 10) == "invisible " then seen = "" end
  if seen == (redis.call("GET", ARGV[5] .. uid) or "") then
    redis.call("ZREM", KEYS[1], uid)
  else
    redis.call("ZADD", KEYS[1], until_, uid)
    redis.call("SET", ARGV[5] .. uid, ARGV[8])
    if tonumber(ARGV[3]) > 0 then redis.call("SET", ARGV[6] .. uid, 1, "PX", ARGV[3]) end
    taken[#taken + 1] = { uid, seen, redis.call("GET", ARGV[7] .. uid) or tostring(now) }
  end
end
local first = redis.call("ZRANGE", KEYS[1], 0, 0, "WITHSCORES")
return { tostring(until_), taken, first[2] and math.max(0, first[2] - now) or -1 }`;

// Where a change or another replica moved the user meanwhile, what was told now may have come behind what is so: it is told
// again. Answers in how many ms, or -1.
const toldScript = `
local uid, seen, sent, left = ARGV[1], ARGV[3], KEYS[2], KEYS[3]
local score = redis.call("ZSCORE", KEYS[1], uid)
if score and tonumber(score) == tonumber(ARGV[2]) then
  redis.call("ZREM", KEYS[1], uid)
  if seen == "" then redis.call("DEL", sent, left) else redis.call("SET", sent, seen) end
  return -1
end
redis.call("SET", sent, ARGV[4])
local time = redis.call("TIME")
local wait = math.max(0, redis.call("PTTL", KEYS[4]))
redis.call("ZADD", KEYS[1], "LT", time[1] * 1000 + math.floor(time[2] / 1000) + wait, uid)
return wait`;

/** Stands for what was last told while somebody is being told: that a change and its undoing are no change is not known then. */
const untold = "?";

export function openDue({ redis, paceMs, tell, log }: DueOptions): DueNotices {
  const running = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let timerAt = Number.POSITIVE_INFINITY;
  let taking: Promise<void> | undefined;
  let closed = false;

  async function tellOne(lease: string, [uid, seen, leftAt]: [string, string, string]): Promise<void> {
    try {
      await tell({ uid, state: seen === "" ? undefined : readTold(seen), leftAt: Number(leftAt) });
      const keys = [dueKey, `${sentPrefix}${uid}`, `${leftPrefix}${uid}`, `${pacedPrefix}${uid}`];
      const againMs = (await redis.eval(toldScript, keys.length, ...keys, uid, lease, seen, untold)) as number;
      if (againMs >= 0) wake(againMs);
    } catch (error) {
      log.debug({ event: "not_told", uid, reason: String(error) });
    }
  }

  async function take(): Promise<void> {
    const room = atOnce - running.size;
    if (redis.status !== "ready" || room === 0 || closed) return;
    const prefixes = [toldKey(""), sentPrefix, pacedPrefix, leftPrefix];
    const reply = await redis.eval(takeScript, 1, dueKey, room, leaseMs, paceMs, ...prefixes, untold);
    const [lease, taken, nextMs] = reply as [string, [string, string, string][], number];
    for (const one of taken) {
      const work = tellOne(lease, one).finally(() => {
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
