// The JetStream stream PUSH, a work queue: what is acknowledged is gone from it.
import { jetstreamManager, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import { streams } from "@parley/protocol";
import type { NatsConnection } from "@parley/runtime";

const day = 24 * 3600 * 1e9;
/** What waits for longer is of no use: nothing waits for longer than a day but for want of a provider. */
const keptNanoseconds = 3 * day;
/** Within it JetStream drops what is published a second time. */
const repeatedNanoseconds = 600e9;

/** Makes PUSH where it is missing; of two replicas that do so at once one is told that it exists. */
export async function ensurePushStream(nats: NatsConnection): Promise<void> {
  const manager = await jetstreamManager(nats);
  const { name, subjects } = streams.push;
  const exists = await manager.streams.info(name).then(
    () => true,
    (error: unknown) => {
      if (/not found/i.test(String(error))) return false;
      throw error;
    },
  );
  if (exists) return;
  const config = { name, subjects: [...subjects], storage: StorageType.File, retention: RetentionPolicy.Workqueue };
  await manager.streams
    .add({ ...config, max_age: keptNanoseconds, duplicate_window: repeatedNanoseconds })
    .catch(() => manager.streams.info(name));
}
