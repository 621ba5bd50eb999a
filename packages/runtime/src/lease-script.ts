// The one Lua call of a replica's turn: registers it, renews what it holds, takes what is free and due to it.
import type { Redis } from "ioredis";
import { epochKey, leaseKey, replicasKey } from "./lease-keys.ts";

/** How long a lease lives without being renewed. */
export const leaseMs = 5000;

// The marks, one a key: h = held (renewed, set again if it is gone), x = let be, - = not ours.
const turnScript = `
local me, ttl, knownEpoch, newEpoch, marks = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local renew, join, take = ARGV[6] == "1", ARGV[7] == "1", ARGV[8] == "1"
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("SET", KEYS[2], newEpoch, "NX")
local epoch = redis.call("GET", KEYS[2])
if knownEpoch ~= "" and knownEpoch ~= epoch then take = false end
if join then redis.call("ZADD", KEYS[1], now + ttl, me) end
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", now)
local share = math.ceil((#KEYS - 2) / math.max(redis.call("ZCARD", KEYS[1]), 1))
local owners, free, mine = {}, {}, 0
for i = 3, #KEYS do
  local mark = string.sub(marks, i - 2, i - 2)
  local owner = redis.call("GET", KEYS[i])
  if mark == "h" and renew and (not owner or owner == me) then
    redis.call("SET", KEYS[i], me, "PX", ttl)
    owner = me
  end
  if owner == me then mine = mine + 1 elseif not owner and mark == "-" then free[#free + 1] = i end
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
return { epoch, share, owners }`;

const dropScript = `if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end return 0`;

export interface Turn {
  /** Renew what is marked `h`. */
  renew: boolean;
  /** Count as a living replica. */
  join: boolean;
  /** Take free keys, up to one replica's share. */
  take: boolean;
  /** One character a key: `h` held, `x` let be, `-` not ours. */
  marks: string;
}

export interface TurnResult {
  /** Redis is not the one of the last turn any more: flushed, or replaced. */
  otherEpoch: boolean;
  /** How many keys are due to one replica. */
  share: number;
  /** The value of each key after the turn; "" is free. */
  owners: string[];
}

export interface LeaseScript {
  turn(turn: Turn): Promise<TurnResult>;
  /** Deletes a key if it is ours. */
  drop(key: string): Promise<void>;
  /** Leaves the set of living replicas. */
  leave(): Promise<void>;
}

/** The leases of one kind in Redis, seen from one instance. */
export function leaseScript(redis: Redis, kind: string, keys: readonly string[], instance: string): LeaseScript {
  const redisKeys = [replicasKey(kind), epochKey(kind), ...keys.map((key) => leaseKey(kind, key))];
  let knownEpoch = "";
  return {
    async turn({ renew, join, take, marks }) {
      const flags = [renew, join, take].map((flag) => (flag ? "1" : "0"));
      const args = [instance, leaseMs, knownEpoch, crypto.randomUUID(), marks, ...flags];
      const reply = await redis.eval(turnScript, redisKeys.length, ...redisKeys, ...args);
      const [epoch, share, owners] = reply as [string, number, string[]];
      const otherEpoch = knownEpoch !== "" && knownEpoch !== epoch;
      knownEpoch = epoch;
      return { otherEpoch, share, owners };
    },
    async drop(key) {
      await redis.eval(dropScript, 1, leaseKey(kind, key), instance);
    },
    async leave() {
      await redis.zrem(replicasKey(kind), instance);
    },
  };
}
