// Puts jobs into PUSH: when it resolves JetStream has them on disk.
import { jetstream } from "@nats-io/jetstream";
import { AppError, type PushChunk, type PushProvider, pushSubject } from "@parley/protocol";
import type { NatsConnection } from "@parley/runtime";
import { chunkId, chunksOf, type ProviderJob } from "./jobs.ts";

/**
 * Throws `unavailable` when JetStream has not taken all: those that it has are dropped when they come again. `again`: they were there
 * before, and are not to be dropped for that.
 */
export type Enqueue = (
  jobs: readonly ProviderJob[],
  when?: { attempt?: number; notBefore?: number; again?: string },
) => Promise<void>;

const timeoutMs = 5_000;

export function createEnqueue(nats: NatsConnection): Enqueue {
  const stream = jetstream(nats);
  const publish = (provider: PushProvider, chunk: PushChunk, again: string) =>
    stream.publish(pushSubject(provider), JSON.stringify(chunk), {
      msgID: `${chunkId(chunk)}${again}`,
      timeout: timeoutMs,
    });
  return async (jobs, { attempt = 0, notBefore, again = "" } = {}) => {
    try {
      await Promise.all(chunksOf(jobs, attempt, notBefore).map(([provider, chunk]) => publish(provider, chunk, again)));
    } catch (cause) {
      throw new AppError("unavailable", "JetStream does not take notifications", { cause });
    }
  };
}
