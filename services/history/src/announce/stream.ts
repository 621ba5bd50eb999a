// The JetStream stream of references: made when it is missing, again after it was deleted.
import { type JetStreamManager, jetstreamManager, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import { streams } from "@parley/protocol";
import { ensureStream, type NatsConnection } from "@parley/runtime";

const keptNanoseconds = 7 * 24 * 3600 * 1e9;

/** The manager, with STORED and DEAD in place. */
export async function openStreams(nats: NatsConnection): Promise<JetStreamManager> {
  const manager = await jetstreamManager(nats, { timeout: 5_000 });
  await ensureStreams(manager);
  return manager;
}

/** Adds the streams that are missing; existing ones are left as they are. */
export async function ensureStreams(manager: JetStreamManager): Promise<void> {
  for (const { name, subjects } of [streams.stored, streams.dead])
    await ensureStream(manager, {
      name,
      subjects: [...subjects],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      max_age: keptNanoseconds,
    });
}
