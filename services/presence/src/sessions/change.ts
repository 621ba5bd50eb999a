// The one Lua call that changes sessions and finds out whether that changes what others are told of their users.
import { ingestPartition } from "@parley/protocol/partition";
import { type Redis, redisScript } from "@parley/runtime";
import {
  dueKey,
  endedKey,
  expiringKey,
  filtersKey,
  leavingKey,
  leftPrefix,
  nextSuffix,
  pacedPrefix,
  saidKey,
  sentPrefix,
  sessionsKey,
  toldKey,
  treeKey,
  treesKey,
  unsureKey,
  userKey,
} from "./keys.ts";
import { tellScript } from "./settle.ts";
import { treeScript } from "./tree-script.ts";

/**
 * A change of one device's session. Times are unix ms, but `expiresAt` unix s. `connection` names one
 * connection, where the broker does: then it, and no clock, says whose end an end is.
 */
export type SessionChange = { uid: string; clientId: string } & (
  | ({ op: "connect"; at: number; expiresAt?: number; connection?: string; tree?: PlantedTree } & MadeWith)
  /** the broker tells that it is connected: by the connection's own time */
  | { op: "connected"; at: number; connection?: string; present?: boolean; persistent?: boolean }
  /** the broker's list of the time `at` has it; `since`: when it connected, where the list tells that */
  | { op: "listed"; at: number; since?: number; connection?: string; tree?: PlantedTree }
  /** the broker tells that the connection of the time `at` ended, or that any did by then */
  | { op: "end"; at: number; connection?: string }
  /** the broker's list has it not: ended, if it is still the session of the time `at` */
  | { op: "drop"; at: number }
  /** `at`: of the router `by`, rising with every word that it took */
  | { op: "state"; at: number; by?: string; active?: boolean; show?: DeviceShow; status?: string }
  /** what the store says of a session that is unsure */
  | { op: "sure"; at: number; invisible: boolean }
) & {
    /** of a session that begins: its device said so before */
    invisible?: boolean;
    /** of a session that begins: nobody knows yet, and `invisible` is true */
    unsure?: boolean;
  };

/** A tree as it is handed to Redis. */
export interface PlantedTree {
  /** JSON of what never changes while it is connected */
  base: string;
  /** JSON of its accounts */
  accounts: string;
  persistent: boolean;
  dialect?: string;
  filters: string[];
}

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
  /** the device has a tree, and it is there or ended with this; `connection`: the one that ended, where it has a name */
  tree?: { word: "here" } | { word: "gone"; connection?: string; version: number };
}

// A session is {at: of the connect decision, broker: the broker's own time of the connection or 0, connection: its name
// where it has one, …}. Named ends are compared by name: of two edges' events any may arrive first, and their clocks
// differ. The others are compared with the same clock that told their begin. An end leaves a tombstone for a while, so that
// a begin that arrives after its end, or a list made before it, makes no ghost. It holds what the session was made with, too:
// a revocation may have ended it before its connection was there to be ended, and the session that then begins is no newer.
// Two replicas may be told what one device said in any order: of what one router took, the later word stays.
// One after the other; what is wrong with one is said in its place, and the others are made all the same.
const changeScript = redisScript(`${tellScript}
${treeScript}
local sessions, leaving, expiring = "${sessionsKey}", "${leavingKey}", "${expiringKey}"
local unsure, saids = "${unsureKey}", "${saidKey}"
local heard, delay = ARGV[1], tonumber(ARGV[2])
local function change(op, uid, id, p, given)
local user, told, tomb = "${userKey("")}" .. uid, "${toldKey("")}" .. uid, "${endedKey("")}" .. id
local keys = { due = "${dueKey}", paced = "${pacedPrefix}" .. uid, left = "${leftPrefix}" .. uid, sent = "${sentPrefix}" .. uid }
local tree = { tree = "${treeKey("")}" .. id, filters = "${filtersKey("")}" .. id, trees = "${treesKey("")}" .. p }
tree.next, tree.nextFilters = tree.tree .. "${nextSuffix}", tree.filters .. "${nextSuffix}"
local treeWord, treeName, treeVersion = "", "", ""
local kept = redis.call("HGET", user, id)
local session = kept and cjson.decode(kept) or nil
local said = redis.call("HGET", saids, id)
said = said and cjson.decode(said) or nil
local applied, wakes = false, false
local name = given.connection
local function isLate(word) return word and word.by == given.by and given.at < word.at end
local function shown(invisible) return invisible and "invisible" or "online" end
-- What a device said is in Redis before it is in the store.
local function begun(one)
  one.words = session and session.words
  if session and not session.unsure then one.show = shown(session.show == "invisible")
  elseif said then one.show = shown(said.invisible)
  else one.show, one.unsure = shown(given.invisible), given.unsure end
  return one
end
local function leave()
  treeWord, treeName = "gone", fell(tree, id)
  treeVersion = version()
end
local buried = name and redis.call("HGET", tomb, "connection") == name
if op == "connect" then
  if not buried and (not session or given.at >= session.at) then
    session = begun({ at = given.at, broker = 0, active = true, connection = name,
      issuedAt = given.issuedAt, passwordSince = given.passwordSince, family = given.family })
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
    session = begun({ at = since or given.at, broker = since or 0, active = true, connection = name })
    local ended = redis.call("HGET", tomb, "ended")
    ended = ended and cjson.decode(ended) or nil
    if ended and ended.connection == name then
      session.issuedAt, session.passwordSince, session.family = ended.issuedAt, ended.passwordSince, ended.family
    end
    applied = true
  end
elseif op == "state" then
  local words = session and session.words or {}
  local word = { at = given.at, by = given.by }
  if given.show and not isLate(words.show) and not isLate(said) then
    redis.call("HSET", saids, id, cjson.encode({
      uid = uid, invisible = given.show == "invisible", at = given.at, by = given.by, since = now }))
    if session then session.show, session.unsure, words.show = given.show, nil, word end
  end
  if session then
    -- One that was overtaken by its opposite: what came between was left out all the same.
    if isLate(words.active) then wakes = given.active == false and session.active
    elseif given.active ~= nil then
      wakes = given.active and not session.active
      session.active, words.active = given.active, word
    end
    if given.status and not isLate(words.status) then
      session.status, session.statusAt, words.status = given.status, given.at, word
    end
    session.words = words
    applied = true
  end
elseif op == "sure" then
  if session and session.unsure then
    session.unsure = nil
    session.show = shown(given.invisible)
    if said then session.show = shown(said.invisible) end
    applied = true
  end
  redis.call("HDEL", unsure, id)
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
  redis.call("HSET", tomb, "listed", heard)
  redis.call("PEXPIRE", tomb, 30000)
end
if applied and session then
  redis.call("HSET", user, id, cjson.encode(session))
  redis.call("ZADD", sessions, session.at, id)
  if session.unsure then redis.call("HSET", unsure, id, cjson.encode({ uid = uid, since = now }))
  else redis.call("HDEL", unsure, id) end
elseif applied then
  redis.call("HDEL", user, id)
  redis.call("HDEL", unsure, id)
  redis.call("ZREM", sessions, id)
  redis.call("ZREM", expiring, id)
  redis.call("HSET", tomb, "connected", given.at, "listed", heard)
  redis.call("PEXPIRE", tomb, 30000)
end
-- A connect whose connection was told of first changes nothing of the session, but says what lives there.
local late = op == "connect" and not applied and not buried and session and session.broker > 0
  and session.connection == name and (name or given.at > session.at - 10000)
if op == "connect" and (applied or late) then
  if given.tree then plant(tree, uid, given.tree, name) else redis.call("DEL", tree.next, tree.nextFilters) end
  if given.tree and late then
    promote(tree, id)
    treeWord = "here"
  end
elseif op == "listed" and session and given.tree and redis.call("EXISTS", tree.tree) == 0 then
  plant(tree, uid, given.tree, name)
  promote(tree, id)
  treeWord = "here"
elseif op == "connected" and session then
  if isOf(tree.next, name) then
    promote(tree, id)
    -- What it begins with: a word that is told again, or late, is older than what was subscribed since.
    if given.present == false then redis.call("DEL", tree.filters) end
    treeWord = "here"
  elseif isOf(tree.tree, name) then treeWord = "here"
  elseif redis.call("EXISTS", tree.tree) == 1 then leave() end
  if given.persistent ~= nil and treeWord == "here" then
    redis.call("HSET", tree.tree, "persistent", tostring(given.persistent))
  end
elseif op == "end" or op == "drop" then
  local ended = applied or (name and redis.call("HGET", tree.tree, "connection") == name)
  if ended and redis.call("HGET", tree.tree, "user") == uid and isOf(tree.tree, name) then leave() end
  if (applied or name) and isOf(tree.next, name) and redis.call("HGET", tree.next, "user") == uid then
    redis.call("DEL", tree.next, tree.nextFilters)
  end
end
-- Guests and nobody are nobody's contacts.
if string.sub(uid, 1, 1) == "~" then return { applied and 1 or 0, 0, -1, 0, treeWord, treeName, treeVersion } end
local all = redis.call("HVALS", user)
local before = redis.call("GET", told)
if #all == 0 then
  if before then redis.call("ZADD", leaving, "NX", now + delay, uid) return { applied and 1 or 0, 1, -1, 0, treeWord, treeName, treeVersion } end
  return { applied and 1 or 0, 0, -1, 0, treeWord, treeName, treeVersion }
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
local due = tell(keys, uid, before, after, now)
return { applied and 1 or 0, 0, due, wakes and 1 or 0, treeWord, treeName, treeVersion }
end
local replies = {}
for at = 3, #ARGV, 5 do
  local ok, reply = pcall(function()
    return change(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], cjson.decode(ARGV[at + 4]))
  end)
  if not ok then reply = { type(reply) == "table" and reply.err or tostring(reply) } end
  replies[#replies + 1] = reply
end
return replies`);

type Reply = [number, number, number, number, "" | "here" | "gone", string, string] | [string];

/** One outcome a change, in order; an Error is of that change alone. Rejects when Redis does not do it. */
export async function changeSessions(
  redis: Redis,
  changes: readonly SessionChange[],
  offlineDelayMs: number,
): Promise<(SessionOutcome | Error)[]> {
  const args = changes.flatMap(({ op, uid, clientId, ...given }) => [
    op,
    uid,
    clientId,
    ingestPartition(clientId),
    JSON.stringify(given),
  ]);
  const replies = (await changeScript(redis, [], [Date.now(), offlineDelayMs, ...args])) as Reply[];
  return replies.map(readReply);
}

function readReply(reply: Reply): SessionOutcome | Error {
  if (reply.length === 1) return new Error(reply[0]);
  const [applied, leaving, dueMs, wakes, word, connection, version] = reply;
  const outcome: SessionOutcome = {
    applied: applied === 1,
    leaving: leaving === 1,
    dueMs: dueMs < 0 ? undefined : dueMs,
    wakes: wakes === 1,
  };
  if (word === "here") outcome.tree = { word };
  if (word === "gone") outcome.tree = { word, version: Number(version), ...(connection === "" ? {} : { connection }) };
  return outcome;
}

export function readTold(text: string): Told {
  const space = text.indexOf(" ");
  return { show: text.slice(0, space) as DeviceShow, status: text.slice(space + 1) };
}

/** Who has no session is missing. */
export function readStates(uids: readonly string[], texts: readonly (string | null)[]): Map<string, Told> {
  const known = new Map<string, Told>();
  for (const [at, uid] of uids.entries()) {
    const text = texts[at];
    if (text) known.set(uid, readTold(text));
  }
  return known;
}
