// What a test does to a running cluster: kill, pause, stop, flush, and wait until it is well again.
import { Redis } from "ioredis";
import { eventually } from "../processes/eventually.ts";
import type { Supervised } from "../processes/supervise.ts";
import type { Part } from "./parts.ts";

/** Which replica, counted from 0. */
export type Which = { index?: number };

/** The controls over what is supervised; they throw on a part or replica that is not there. */
export function controls(supervised: Map<Part, Supervised[]>) {
  const all = (part: Part): Supervised[] => {
    const replicas = supervised.get(part);
    if (!replicas) throw new Error(`${part} is not a part of this cluster (${[...supervised.keys()].join(", ")})`);
    return replicas;
  };
  const one = (part: Part, index = 0): Supervised => {
    const replica = all(part)[index];
    if (!replica) throw new Error(`${part} has ${all(part).length} replicas; there is no index ${index}`);
    return replica;
  };
  return {
    pid: (part: Part, { index }: Which = {}) => one(part, index).pid(),
    restarts: (part: Part) => all(part).reduce((sum, replica) => sum + replica.restarts(), 0),
    kill: (part: Part, { index, signal = "SIGKILL" }: Which & { signal?: NodeJS.Signals } = {}) =>
      one(part, index).kill(signal),
    pause: (part: Part, { index }: Which = {}) => one(part, index).kill("SIGSTOP"),
    resume: (part: Part, { index }: Which = {}) => one(part, index).kill("SIGCONT"),
    stopPart: (part: Part, { index }: Which = {}) => one(part, index).stop(),
    startPart: async (part: Part, { index }: Which = {}) => one(part, index).start(),
    async waitReady(part?: Part, { timeoutMs = 60_000 }: { timeoutMs?: number } = {}) {
      const wanted = part === undefined ? [...supervised.values()].flat() : all(part);
      await Promise.all(wanted.map((replica) => untilReady(replica, timeoutMs)));
    },
  };
}

async function untilReady(replica: Supervised, timeoutMs: number): Promise<void> {
  const check = async () => {
    const readiness = await replica.probe();
    if (readiness !== true) throw new Error(`${replica.name} is not ready: ${readiness}`);
    return true;
  };
  await eventually(check, { timeoutMs });
}

/** FLUSHALL on the Redis of this URL. */
export async function flushRedis(url: string): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: null });
  redis.on("error", () => {});
  try {
    await redis.connect();
    await redis.flushall();
  } finally {
    redis.disconnect();
  }
}
