// Whose last session ended a while ago is offline from then on; and what a change of a user comes to for its contacts.
import type { Redis } from "@parley/runtime";
import { dueKey, leavingKey, leftPrefix, pacedPrefix, sentPrefix, takenPrefix, toldKey } from "./keys.ts";

/**
 * Lua. `seen` is what others see of a user: nothing of who is invisible. `tell` puts it into `due` where that changes, and answers
 * in how many ms it is due, -1 when it is not. Who is not due was told what is so: versions that had no `sent` kept no record of it.
 */
export const tellScript = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function seen(text)
  if not text or string.sub(text, 1, 10) == "invisible " then return "" end
  return text
end
local function tell(keys, uid, before, after, leftAt)
  if seen(before) == seen(after) then return -1 end
  if seen(before) ~= "" and not redis.call("ZSCORE", keys.due, uid) then
    redis.call("SET", keys.sent, seen(before), "NX")
  end
  if seen(after) == "" then redis.call("SET", keys.left, leftAt, "PX", 86400000) end
  local wait = math.max(0, redis.call("PTTL", keys.paced))
  redis.call("ZADD", keys.due, "LT", now + wait, uid)
  return wait
end`;

// A session that begins takes its user out of the leaving.
const settleScript = `${tellScript}
local leaving, due = KEYS[1], KEYS[2]
local over, first = redis.call("ZRANGEBYSCORE", leaving, "-inf", now, "WITHSCORES", "LIMIT", 0, ARGV[1]), -1
for at = 1, #over, 2 do
  local uid, told = over[at], ARGV[3] .. over[at]
  redis.call("ZREM", leaving, uid)
  local before = redis.call("GET", told)
  redis.call("DEL", told)
  local keys = { due = due, paced = ARGV[4] .. uid, left = ARGV[5] .. uid, sent = ARGV[6] .. uid }
  local wait = tell(keys, uid, before, nil, over[at + 1] - tonumber(ARGV[2]))
  if wait >= 0 and (first < 0 or wait < first) then first = wait end
end
return { #over / 2, first }`;

/** Users whose delay is over are offline, `limit` at most. `dueMs`: when others are to be told of the first, if they are. */
export async function settleUsers(
  redis: Redis,
  { limit, offlineDelayMs }: { limit: number; offlineDelayMs: number },
): Promise<{ settled: number; dueMs: number | undefined }> {
  const prefixes = [toldKey(""), pacedPrefix, leftPrefix, sentPrefix];
  const reply = await redis.eval(settleScript, 2, leavingKey, dueKey, limit, offlineDelayMs, ...prefixes);
  const [settled, dueMs] = reply as [number, number];
  return { settled, dueMs: dueMs < 0 ? undefined : dueMs };
}

/** Nothing is left of how the user is there, and whoever tells of it just now notes nothing more. */
export async function forgetUser(redis: Redis, uid: string): Promise<void> {
  const prefixes = [sentPrefix, pacedPrefix, leftPrefix, takenPrefix];
  const keys = prefixes.map((prefix) => `${prefix}${uid}`);
  const answers = await redis
    .multi()
    .zrem(leavingKey, uid)
    .zrem(dueKey, uid)
    .del(toldKey(uid), ...keys)
    .exec();
  const failed = answers?.find(([error]) => error)?.[0];
  if (failed) throw failed;
}
