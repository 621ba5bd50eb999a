// The one Lua call that changes a session and finds out whether that changes what others are told of its user.
import type { Redis } from "@parley/runtime";

/**
 * A change of one device's session. Times are unix ms, but `expiresAt` unix s. `connection` names one
 * connection, where the broker does: then it, and no clock, says whose end an end is.
 */
export type SessionChange = { uid: string; clientId: string } & (
  | ({ op: "connect"; at: number; expiresAt?: number; connection?: string } & MadeWith)
  /** the broker tells that it is connected: by the connection's own time */
  | { op: "connected"; at: number; connection?: string }
  /** the broker's list of the time `at` has it; `since`: when it connected, where the list tells that */
  | { op: "listed"; at: number; since?: number; connection?: string }
  /** the broker tells that the connection of the time `at` ended, or that any did by then */
  | { op: "end"; at: number; connection?: string }
  /** the broker's list has it not: ended, if it is still the session of the time `at` */
  | { op: "drop"; at: number }
  | { op: "state"; at: number; active?: boolean; show?: DeviceShow; status?: string }
) & {
    /** of a device that said so before, and begins again */
    invisible?: boolean;
  };

/** What a session was made with, as a revocation knows it; none of it where presence was not asked. */
export interface MadeWith {
  /** of the token, unix s */
  issuedAt?: number;
  passwordSince?: number;
  family?: string;
}

export type DeviceShow = "online" | "away" | "dnd" | "invisible";

/** How a user with a session is there, all devices together. An invisible one looks offline. */
export interface Told {
  show: DeviceShow;
  status: string;
}

export interface SessionOutcome {
  /** false: an older connection's affair, or nothing to change */
  applied: boolean;
  /** others are to be told (`tell/due.ts`), so many ms from now */
  dueMs: number | undefined;
  /** the user has no session left and is about to be offline */
  leaving: boolean;
  /** the device was inactive, and is no longer */
  wakes: boolean;
}

export const sessionsKey = "presence:sessions";
export const leavingKey = "presence:leaving";
export const expiringKey = "presence:expiring";

/** Hash: clientId → session as JSON. */
export function userKey(uid: string): string {
  return `presence:user:${uid}`;
}

/** How the user is there: `{show} {status}`; absent when it is offline. */
export function toldKey(uid: string): string {
  return `presence:told:${uid}`;
}

/** Sorted set: whose contacts are to be told something, by when (ms, the clock of Redis). */
export const dueKey = "presence:due";

/** What contacts were last told of the user, as at `toldKey`; absent when that is offline. */
export const sentPrefix = "presence:sent:";
/** There while contacts are not to be told of the user again. */
export const pacedPrefix = "presence:paced:";
/** When the user was last seen (unix ms), until that is kept. */
export const leftPrefix = "presence:left:";

// What others see: nothing of who is invisible. Whoever changed that puts the user into `due`.
const dueScript = `
local function seen(text)
  if not text or string.sub(text, 1, 10) == "invisible " then return "" end
  return text
end
local function tell(keys, uid, before, after, leftAt)
  if seen(before) == seen(after) then return -1 end
  if seen(after) == "" then redis.call("SET", keys.left, leftAt, "PX", 86400000) end
  local time = redis.call("TIME")
  local wait = math.max(0, redis.call("PTTL", keys.paced))
  redis.call("ZADD", keys.due, "LT", time[1] * 1000 + math.floor(time[2] / 1000) + wait, uid)
  return wait
end`;

// A session is {at: of the connect decision, broker: the broker's own time of the connection or 0, connection: its name
// where it has one, …}. Named ends are compared by name: of two edges' events any may arrive first, and their clocks
// differ. The others are compared with the same clock that told their begin. An end leaves a tombstone for a while, so that
// a begin that arrives after its end, or a list made before it, makes no ghost. It holds what the session was made with, too:
// a revocation may have ended it before its connection was there to be ended, and the session that then begins is no newer.
const changeScript = `${dueScript}
local keys = { due = KEYS[7], paced = KEYS[8], left = KEYS[9] }
local user, told, sessions, leaving, expiring, tomb = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local op, uid, id, now, delay = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local given = cjson.decode(ARGV[6])
local kept = redis.call("HGET", user, id)
local session = kept and cjson.decode(kept) or nil
local applied, wakes = false, false
local name = given.connection
local begun = given.invisible and "invisible" or "online"
local buried = name and redis.call("HGET", tomb, "connection") == name
if op == "connect" then
  if not buried and (not session or given.at >= session.at) then
    session = { at = given.at, broker = 0, active = true, show = begun, connection = name,
      issuedAt = given.issuedAt, passwordSince = given.passwordSince, family = given.family }
    if given.expiresAt then redis.call("ZADD", expiring, given.expiresAt, id) else redis.call("ZREM", expiring, id) end
    applied = true
  end
elseif op == "connected" or op == "listed" then
  if session then
    local same = name and session.connection == name
    local older = not same and session.broker == 0 and given.at < session.at - 1000
    if op == "connected" and not older and (same or given.at > session.broker) then
      -- One that presence was not asked about: it was away.
      if name and not same then
        session.connection, session.at = name, given.at
        session.issuedAt, session.passwordSince, session.family = nil, nil, nil
      end
      session.broker = given.at
      applied = true
    end
  elseif not buried and (name or tonumber(redis.call("HGET", tomb, op) or "0") < given.at) then
    -- Its end will name the time it connected, which is before the list's.
    local since = op == "connected" and given.at or given.since
    session = { at = since or given.at, broker = since or 0, active = true, show = begun, connection = name }
    local ended = redis.call("HGET", tomb, "ended")
    ended = ended and cjson.decode(ended) or nil
    if ended and ended.connection == name then
      session.issuedAt, session.passwordSince, session.family = ended.issuedAt, ended.passwordSince, ended.family
    end
    applied = true
  end
elseif op == "state" then
  if session then
    wakes = given.active == true and not session.active
    if given.active ~= nil then session.active = given.active end
    if given.show then session.show = given.show end
    if given.status then session.status = given.status session.statusAt = given.at end
    applied = true
  end
elseif session then
  local since = session.at
  if op == "end" and session.broker > 0 then since = session.broker end
  local ends = given.at >= since
  if op == "end" and name and session.connection then ends = session.connection == name end
  if ends then
    if op == "drop" then redis.call("HSET", tomb, "ended", cjson.encode(session)) end
    session = nil
    applied = true
  end
end
if op == "end" and (name or not session) then
  -- Also of one that is not known: a list that was made before it still has it.
  if name then redis.call("HSET", tomb, "connection", name) end
  redis.call("HSET", tomb, "listed", now)
  redis.call("PEXPIRE", tomb, 30000)
end
if applied and session then
  redis.call("HSET", user, id, cjson.encode(session))
  redis.call("ZADD", sessions, session.at, id)
elseif applied then
  redis.call("HDEL", user, id)
  redis.call("ZREM", sessions, id)
  redis.call("ZREM", expiring, id)
  redis.call("HSET", tomb, "connected", given.at, "listed", now)
  redis.call("PEXPIRE", tomb, 30000)
end
local all = redis.call("HVALS", user)
local before = redis.call("GET", told)
if #all == 0 then
  if before then redis.call("ZADD", leaving, "NX", now + delay, uid) return { applied and 1 or 0, 1, -1, 0 } end
  return { applied and 1 or 0, 0, -1, 0 }
end
redis.call("ZREM", leaving, uid)
local show, status, statusAt = "away", "", 0
for _, text in ipairs(all) do
  local one = cjson.decode(text)
  if one.show == "invisible" or show == "invisible" then show = "invisible"
  elseif one.show == "dnd" then show = "dnd"
  elseif show ~= "dnd" and one.active and one.show == "online" then show = "online" end
  if one.status and one.statusAt > statusAt then status = one.status statusAt = one.statusAt end
end
local after = show .. " " .. status
if after ~= before then redis.call("SET", told, after) end
return { applied and 1 or 0, 0, tell(keys, uid, before, after, now), wakes and 1 or 0 }`;

// Whose delay is over is offline (a session that begins takes its user out of the leaving).
const settleScript = `${dueScript}
local keys = { due = KEYS[3], paced = KEYS[4], left = KEYS[5] }
local told, leaving, uid, now = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2])
local over = redis.call("ZSCORE", leaving, uid)
if not over or tonumber(over) > now then return -1 end
redis.call("ZREM", leaving, uid)
local before = redis.call("GET", told)
redis.call("DEL", told)
return tell(keys, uid, before, nil, over - tonumber(ARGV[3]))`;

/** Throws when Redis does not do it. */
export async function changeSession(
  redis: Redis,
  change: SessionChange,
  offlineDelayMs: number,
): Promise<SessionOutcome> {
  const { op, uid, clientId, ...given } = change;
  const own = [userKey(uid), toldKey(uid), sessionsKey, leavingKey, expiringKey, `presence:ended:${clientId}`];
  const keys = [...own, ...keysOfDue(uid)];
  const args = [op, uid, clientId, Date.now(), offlineDelayMs, JSON.stringify(given)];
  const reply = (await redis.eval(changeScript, keys.length, ...keys, ...args)) as [number, number, number, number];
  const [applied, leaving, dueMs, wakes] = reply;
  return { applied: applied === 1, leaving: leaving === 1, dueMs: dueMs < 0 ? undefined : dueMs, wakes: wakes === 1 };
}

/** The user is offline if its delay is over; answers in how many ms others are to be told, if they are. */
export async function settleUser(
  redis: Redis,
  uid: string,
  { now, offlineDelayMs }: { now: number; offlineDelayMs: number },
): Promise<number | undefined> {
  const keys = [toldKey(uid), leavingKey, ...keysOfDue(uid)];
  const dueMs = (await redis.eval(settleScript, keys.length, ...keys, uid, now, offlineDelayMs)) as number;
  return dueMs < 0 ? undefined : dueMs;
}

function keysOfDue(uid: string): string[] {
  return [dueKey, `${pacedPrefix}${uid}`, `${leftPrefix}${uid}`];
}

export function readTold(text: string): Told {
  const space = text.indexOf(" ");
  return { show: text.slice(0, space) as DeviceShow, status: text.slice(space + 1) };
}
