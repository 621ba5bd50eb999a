// Jobs by name, and how they are put into the messages of PUSH.
import { createHash } from "node:crypto";
import type { PushChunk, PushJob, PushProvider } from "@parley/protocol";

/** A job, and whose queue it is for. */
export interface ProviderJob {
  provider: PushProvider;
  job: PushJob;
}

/** So many jobs at most are one message of JetStream: after a crash so many may be looked at again. */
const chunkJobs = 32;

/** Names what a token is told of, once: a second job of this name is the same. */
export function jobKey({ token, kind, conv = "", seq = 0, by = "", at }: PushJob): string {
  const what = conv === "" ? `${by}.${at}` : `${conv}.${seq}`;
  return `${token}.${kind}.${what}`;
}

/** By provider, in their order. */
export function chunksOf(jobs: readonly ProviderJob[], attempt = 0, notBefore?: number): [PushProvider, PushChunk][] {
  const more = { attempt, ...(notBefore === undefined ? {} : { notBefore }) };
  return [...Map.groupBy(jobs, ({ provider }) => provider)].flatMap(([provider, all]) => {
    const count = Math.ceil(all.length / chunkJobs);
    return Array.from({ length: count }, (_, index): [PushProvider, PushChunk] => {
      const some = all.slice(index * chunkJobs, (index + 1) * chunkJobs);
      return [provider, { jobs: some.map(({ job }) => job), ...more }];
    });
  });
}

/** Names a job that was tried until it was done or given up: tried again from its dead letter it has another one. */
export function lifeKey(job: PushJob): string {
  return job.letter === undefined ? jobKey(job) : `${jobKey(job)}.${job.letter}`;
}

/** The same jobs at the same attempt have the same name, so JetStream drops what a crash has published twice. */
export function chunkId({ jobs, attempt }: PushChunk): string {
  const hash = createHash("sha1");
  for (const job of jobs) hash.update(lifeKey(job)).update("\n");
  return `${hash.digest("base64url")}.${attempt}`;
}
