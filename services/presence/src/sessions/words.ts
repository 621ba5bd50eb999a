// Between Redis and the store: what devices said about being invisible is kept, and sessions that are unsure of it are told.
// All of it is in Redis, so that whichever replica lives does it.
import type { Logger, Redis } from "@parley/runtime";
import type { Devices } from "../devices.ts";
import type { SessionChange } from "./change.ts";
import { saidKey, unsureKey } from "./keys.ts";

export interface Words {
  /** A device said how it is to be shown. */
  soon(): void;
  close(): Promise<void>;
}

interface Parts {
  redis: Redis;
  devices: Pick<Devices, "areInvisible" | "keepInvisible">;
  change(change: SessionChange): Promise<void>;
  log: Logger;
  /** between two looks; so long a session is unsure at least: what other replicas wrote when Redis came back is there by then */
  everyMs?: number;
}

const regularMs = 1000;
const soonMs = 50;
/** A session that begins meanwhile may have asked the store before the word was kept there. */
const lingerMs = 10_000;
/** Of a device that is unknown: it was removed, or another replica is about to keep it. */
const forgottenMs = 3_600_000;
const scanCount = 500;

// Only what is as it was read: a later word has its own turn.
const doneScript = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for at = 3, #ARGV, 3 do
  local id, text, isKept = ARGV[at], ARGV[at + 1], ARGV[at + 2] == "1"
  if redis.call("HGET", KEYS[1], id) == text then
    local said = cjson.decode(text)
    if said.kept then
      if said.kept < now - ARGV[1] then redis.call("HDEL", KEYS[1], id) end
    elseif isKept then
      said.kept = now
      redis.call("HSET", KEYS[1], id, cjson.encode(said))
    elseif said.since < now - ARGV[2] then
      redis.call("HDEL", KEYS[1], id)
    end
  end
end`;

export function keepWords({ redis, devices, change, log, everyMs = regularMs }: Parts): Words {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let timerAt = Number.POSITIVE_INFINITY;
  let waits = false;
  let turning = Promise.resolve();

  async function turn(): Promise<void> {
    if (redis.status !== "ready") return;
    try {
      await eachOf(redis, saidKey, (page) => keep(redis, devices, page));
      await eachOf(redis, unsureKey, (page) => makeSure({ redis, devices, change, everyMs }, page));
    } catch (error) {
      log.debug({ event: "words_not_kept", reason: String(error) });
    }
  }

  function next(inMs: number): void {
    const at = performance.now() + inMs;
    if (closed || at >= timerAt) return;
    clearTimeout(timer);
    timerAt = at;
    timer = setTimeout(begin, inMs);
  }

  function begin(): void {
    timerAt = Number.POSITIVE_INFINITY;
    if (waits) return;
    waits = true;
    const before = turning;
    turning = before
      .then(() => {
        waits = false;
        return turn();
      })
      .finally(() => next(everyMs));
  }

  next(everyMs);
  return {
    soon: () => next(soonMs),
    async close() {
      closed = true;
      clearTimeout(timer);
      await turning;
    },
  };
}

async function eachOf(redis: Redis, key: string, work: (page: Map<string, string>) => Promise<void>): Promise<void> {
  let cursor = "0";
  do {
    const [next, flat] = await redis.hscan(key, cursor, "COUNT", scanCount);
    const page = new Map<string, string>();
    for (let i = 0; i < flat.length; i += 2) page.set(flat[i]!, flat[i + 1]!);
    if (page.size > 0) await work(page);
    cursor = next;
  } while (cursor !== "0");
}

async function keep(redis: Redis, devices: Parts["devices"], page: ReadonlyMap<string, string>): Promise<void> {
  const used = new Map(page);
  const open = [...page].filter(([, text]) => JSON.parse(text).kept === undefined).map(([clientId]) => clientId);
  const kept = await devices.keepInvisible(open, async () => {
    const texts = await redis.hmget(saidKey, ...open);
    const said = new Map<string, boolean>();
    for (const [at, clientId] of open.entries()) {
      const text = texts[at];
      if (!text) continue;
      used.set(clientId, text);
      said.set(clientId, JSON.parse(text).invisible === true);
    }
    return said;
  });
  const rows = [...used].flatMap(([clientId, text]) => [clientId, text, kept.has(clientId) ? "1" : "0"]);
  await redis.eval(doneScript, 1, saidKey, lingerMs, forgottenMs, ...rows);
}

async function makeSure(
  { redis, devices, change, everyMs }: Pick<Parts, "redis" | "devices" | "change"> & { everyMs: number },
  page: ReadonlyMap<string, string>,
): Promise<void> {
  const [seconds, micros] = await redis.time();
  const now = Number(seconds) * 1000 + Number(micros) / 1000;
  const rows = [...page]
    .map(([clientId, text]) => ({ clientId, ...(JSON.parse(text) as { uid: string; since: number }) }))
    .filter(({ since }) => since <= now - everyMs);
  if (rows.length === 0) return;
  const known = await devices.areInvisible(rows.map(({ clientId }) => clientId));
  for (const { clientId, uid } of rows)
    await change({ op: "sure", uid, clientId, at: Date.now(), invisible: known.get(clientId) ?? false });
}
