// The Lua calls of a replica: its turn (registers it, renews what it holds, takes what is free and due to it), giving a
// key back, leaving.
import type { Redis } from "ioredis";
import { epochKey, leaseKey, noticeChannel, replicasKey } from "./keys.ts";

/** How long a lease lives without being renewed. */
export const leaseMs = 4000;

/**
 * After a flush or an outage (of Redis, of what `alive` watches) every holder sets its keys again before anybody takes
 * one that only looks free.
 */
export const quietMs = 2000;

/** How long a holder whose keys were just renewed may be sure of them: shorter than a lease, and than that quiet. */
export const sureMs = 1500;

// The marks, one a key: h = held (renewed, set again if it is gone), x = let be, - = not ours.
// Shares are exact (of 16 keys over 3 replicas 6, 5, 5): a replica that has its share wants nothing and owes nothing. The larger
// ones are for those that hold so many already, then for the first by name: whoever comes takes no key that need not move.
const turnScript = `
local me, ttl, knownEpoch, newEpoch, marks, channel = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local renew, join, take, seize = ARGV[7] == "1", ARGV[8] == "1", ARGV[9] == "1", ARGV[10] == "1"
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("SET", KEYS[2], newEpoch, "NX")
local epoch = redis.call("GET", KEYS[2])
if knownEpoch ~= "" and knownEpoch ~= epoch then take = false end
if seize then redis.call("DEL", KEYS[1]) end
if join and redis.call("ZADD", KEYS[1], now + ttl, me) == 1 then
  redis.call("PUBLISH", channel, cjson.encode({ by = me, replicas = "joined" }))
end
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", now)
local owners, holds = redis.call("MGET", unpack(KEYS, 3)), {}
for _, owner in ipairs(owners) do
  if owner then holds[owner] = (holds[owner] or 0) + 1 end
end
local scores = redis.call("ZRANGE", KEYS[1], 0, -1, "WITHSCORES")
local before, living, others, nextExpiry, joined = 0, #scores / 2, 0, ttl, false
local least, over = 0, 0
if living > 0 then least, over = math.floor((#KEYS - 2) / living), (#KEYS - 2) % living end
local isLarge = function(replica) return (holds[replica] or 0) > least end
for i = 1, #scores, 2 do
  if scores[i] == me then joined = true else
    others = others + 1
    if isLarge(scores[i]) == isLarge(me) then
      if scores[i] < me then before = before + 1 end
    elseif isLarge(scores[i]) then before = before + 1 end
    nextExpiry = math.min(nextExpiry, tonumber(scores[i + 1]) - now)
  end
end
local share = 0
if joined then
  share = least
  if before < over then share = least + 1 end
end
local free, mine = {}, 0
for i = 3, #KEYS do
  local mark = string.sub(marks, i - 2, i - 2)
  local owner = owners[i - 2]
  if mark == "h" and renew and (not owner or owner == me) then
    redis.call("SET", KEYS[i], me, "PX", ttl)
    owner = me
  end
  if owner == me then mine = mine + 1
  elseif mark == "-" and (seize or not owner) then free[#free + 1] = i end
  owners[i - 2] = owner or ""
end
if take then
  for _, i in ipairs(free) do
    if mine >= share then break end
    redis.call("SET", KEYS[i], me, "PX", ttl)
    owners[i - 2] = me
    mine = mine + 1
  end
end
return { epoch, share, owners, others, nextExpiry, mine }`;

const dropScript = `
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
redis.call("DEL", KEYS[1])
redis.call("PUBLISH", ARGV[2], cjson.encode({ by = ARGV[1], freed = { ARGV[3] } }))
return 1`;

const leaveScript = `
redis.call("ZREM", KEYS[1], ARGV[1])
redis.call("PUBLISH", ARGV[2], cjson.encode({ by = ARGV[1], replicas = "left" }))
return 1`;

export interface Turn {
  /** Renew what is marked `h`. */
  renew: boolean;
  /** Count as a living replica. */
  join: boolean;
  /** Take free keys, up to this replica's share. */
  take: boolean;
  /** What others hold counts as free, and they as gone. */
  seize: boolean;
  /** One character a key: `h` held, `x` let be, `-` not ours. */
  marks: string;
}

export interface TurnResult {
  /** Redis is not the one of the last turn any more: flushed, or replaced. */
  otherEpoch: boolean;
  /** How many keys are due to this replica; 0 when it does not count as living. */
  share: number;
  /** The value of each key after the turn; "" is free. */
  owners: string[];
  /** How many other replicas live. */
  others: number;
  /** When the first of the others will count as gone, unless it is heard of (ms from now). */
  nextExpiryMs: number;
  /** How many keys carry this replica's value. */
  mine: number;
}

export interface LeaseScript {
  turn(turn: Turn): Promise<TurnResult>;
  /** Deletes a key if it is ours, and tells. */
  drop(key: string): Promise<void>;
  /** Leaves the set of living replicas, and tells. */
  leave(): Promise<void>;
}

/** The leases of one kind in Redis, seen from one instance. */
export function leaseScript(redis: Redis, kind: string, keys: readonly string[], instance: string): LeaseScript {
  const redisKeys = [replicasKey(kind), epochKey(kind), ...keys.map((key) => leaseKey(kind, key))];
  const channel = noticeChannel(kind);
  let knownEpoch = "";
  return {
    async turn({ renew, join, take, seize, marks }) {
      const flags = [renew, join, take, seize].map((flag) => (flag ? "1" : "0"));
      const args = [instance, leaseMs, knownEpoch, crypto.randomUUID(), marks, channel, ...flags];
      const reply = await redis.eval(turnScript, redisKeys.length, ...redisKeys, ...args);
      const [epoch, share, owners, others, nextExpiryMs, mine] = reply as [
        string,
        number,
        string[],
        number,
        number,
        number,
      ];
      const otherEpoch = knownEpoch !== "" && knownEpoch !== epoch;
      knownEpoch = epoch;
      return { otherEpoch, share, owners, others, nextExpiryMs, mine };
    },
    async drop(key) {
      await redis.eval(dropScript, 1, leaseKey(kind, key), instance, channel, key);
    },
    async leave() {
      await redis.eval(leaveScript, 1, replicasKey(kind), instance, channel);
    },
  };
}
