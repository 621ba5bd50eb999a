// A packet that kills its router must not kill every next one: after two deaths DUP packets go one by one.
import { createHash } from "node:crypto";
import { AppError } from "@parley/protocol";
import type { Logger, ReceivedPacket, Redis } from "@parley/runtime";
import type { Acknowledge } from "../deliver/acknowledge.ts";
import type { DeadLetter } from "./dead-letter.ts";
import type { Take } from "./partition.ts";

export interface CrashGuard {
  /** Notes the holder, and how often the ones before it died. Wraps `take` when that was twice within a minute. */
  acquired(p: string, take: Take, acknowledge: Acknowledge): Promise<Take>;
  /** A clean end: the next holder counts no death. */
  released(p: string): Promise<void>;
  /** Another has the lease, and this holder lives: it did not die of a packet, whatever the next one has counted. */
  lost(p: string): Promise<void>;
}

export interface CrashGuardParts {
  redis: Redis;
  instance: string;
  deadLetter: DeadLetter;
  log: Logger;
}

const deathsKeptSeconds = 60;
const deathsMax = 2;

const holdingKey = (p: string) => `ingest:holding:${p}`;
const deathsKey = (p: string) => `ingest:deaths:${p}`;
/** `{instance} {name of the packet}`: what a careful holder has in hand, and what one had that did not say how it ended */
const inHandKey = (p: string) => `ingest:in-hand:${p}`;
const suspectKey = (p: string) => `ingest:suspect:${p}`;

// KEYS: holding, deaths, in hand, suspect. ARGV: the holder that lives. If the next one has come already, it has counted a
// death.
const takeBackDeath = `
if redis.call("get", KEYS[1]) == ARGV[1] then redis.call("del", KEYS[1])
elseif (tonumber(redis.call("get", KEYS[2])) or 0) > 0 then redis.call("decr", KEYS[2]) end
for at = 3, 4 do
  local packet = redis.call("get", KEYS[at])
  if packet and string.sub(packet, 1, #ARGV[1] + 1) == ARGV[1] .. " " then redis.call("del", KEYS[at]) end
end
return 0`;

/** Best effort: while Redis is away nothing is counted. */
export function createCrashGuard(parts: CrashGuardParts): CrashGuard {
  const { redis, instance, log } = parts;
  return {
    async acquired(p, take, acknowledge) {
      try {
        const before = await redis.getset(holdingKey(p), instance);
        if (before === null || before === instance) return take;
        const deaths = await redis.incr(deathsKey(p));
        await redis.expire(deathsKey(p), deathsKeptSeconds);
        if (deaths < deathsMax) return take;
        const suspect = await redis.getdel(inHandKey(p));
        if (suspect !== null) await redis.set(suspectKey(p), suspect, "EX", deathsKeptSeconds);
        log.warn({ event: "ingest_careful", p, deaths, suspect: suspect !== null });
        return careful({ ...parts, acknowledge }, p, take);
      } catch {
        return take;
      }
    },
    async released(p) {
      await redis.del(holdingKey(p), inHandKey(p), suspectKey(p)).catch(() => 0);
    },
    async lost(p) {
      const keys = [holdingKey(p), deathsKey(p), inHandKey(p), suspectKey(p)];
      await redis.eval(takeBackDeath, keys.length, ...keys, instance).catch(() => 0);
    },
  };
}

function careful(parts: CrashGuardParts & { acknowledge: Acknowledge }, p: string, take: Take): Take {
  const { redis, instance, deadLetter, acknowledge } = parts;
  // Asked when the packet is here: by then a holder that was only slow has spoken for itself.
  const isSuspect = async (name: string) => {
    const [by, suspect] = (await redis.get(suspectKey(p)).catch(() => null))?.split(" ") ?? [];
    return suspect === name && by !== instance;
  };
  // The last DUP packet that is not done: what comes behind it waits, or a device's messages would change places.
  let before: Promise<unknown> | undefined;
  return (packet, topic, confirm) => {
    if (!packet.dup) return before ? before.then(() => take(packet, topic, confirm)) : take(packet, topic, confirm);
    const turn = Promise.resolve(before).then(async () => {
      const name = nameOf(packet);
      if (await isSuspect(name)) {
        const error = new AppError("internal", "the packet was in hand when its router died, twice");
        await deadLetter(packet, error);
        await acknowledge.nack(topic, null, error);
        await redis.del(suspectKey(p)).catch(() => 0);
        return confirm();
      }
      await redis.set(inHandKey(p), `${instance} ${name}`, "EX", deathsKeptSeconds).catch(() => null);
      await take(packet, topic, confirm);
      await redis.del(inHandKey(p)).catch(() => 0);
    });
    const done = turn
      .catch(() => undefined)
      .then(() => {
        if (before === done) before = undefined;
      });
    before = done;
    return turn;
  };
}

function nameOf({ topic, payload }: ReceivedPacket): string {
  return createHash("sha1").update(topic).update(payload).digest("hex");
}
