// What is remembered of jobs in Redis: which were sent, and the newest of each token and conversation. All of it may vanish.
import type { PushJob } from "@parley/protocol";
import type { Logger, Redis } from "@parley/runtime";
import { jobKey } from "./jobs.ts";

export interface Marks {
  /** These are in the queue: of a conversation's messages the newest is noted. */
  queued(jobs: readonly PushJob[]): Promise<void>;
  /** The provider has these. */
  sent(jobs: readonly PushJob[]): Promise<void>;
  /** One a job: whether it was sent, and the newest of its conversation that was ever in the queue, where it is newer. */
  of(jobs: readonly PushJob[]): Promise<{ isSent: boolean; newer?: number }[]>;
}

/** as long as push may be away after a `kill -9` right behind the note */
const sentSeconds = 6 * 3_600;
const newestSeconds = 86_400;
/** An older message that comes again stands for none that is newer. */
const raiseScript = `
  if tonumber(redis.call("get", KEYS[1]) or 0) < tonumber(ARGV[1]) then redis.call("set", KEYS[1], ARGV[1], "EX", ARGV[2]) end
`;

/** Without Redis nothing is known: then a notification may come twice after a crash, and none is left out. */
export function openMarks(redis: Redis, log: Logger): Marks {
  const unknown = (event: string) => (error: unknown) => {
    log.debug({ event, reason: String(error) });
    return undefined;
  };
  return {
    async queued(jobs) {
      const newest = new Map<string, number>();
      for (const job of jobs) {
        const [key, seq] = [newestKey(job), job.seq ?? 0];
        if (job.kind === "message" && seq > (newest.get(key) ?? 0)) newest.set(key, seq);
      }
      if (newest.size === 0) return;
      const pipeline = redis.pipeline();
      for (const [key, seq] of newest) pipeline.eval(raiseScript, 1, key, seq, newestSeconds);
      await pipeline.exec().catch(unknown("push_newest_not_noted"));
    },
    async sent(jobs) {
      if (jobs.length === 0) return;
      const pipeline = redis.pipeline();
      for (const job of jobs) pipeline.set(sentKey(job), "1", "EX", sentSeconds);
      await pipeline.exec().catch(unknown("push_sent_not_noted"));
    },
    async of(jobs) {
      const keys = jobs.flatMap((job) => [sentKey(job), newestKey(job)]);
      const values = jobs.length === 0 ? [] : await redis.mget(keys).catch(unknown("push_marks_unknown"));
      return jobs.map(({ kind, seq = 0 }, index) => {
        const [sent, newest] = [values?.[2 * index], values?.[2 * index + 1]];
        const isNewer = kind === "message" && Number(newest ?? 0) > seq;
        return { isSent: sent != null, ...(isNewer && { newer: Number(newest) }) };
      });
    },
  };
}

function sentKey(job: PushJob): string {
  return `push:sent:${jobKey(job)}`;
}

function newestKey({ token, conv = "" }: PushJob): string {
  return `push:newest:${token}:${conv}`;
}
