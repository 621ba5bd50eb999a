// The JetStream stream PUSH, a work queue: what is acknowledged is gone from it.
import { type JetStreamManager, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import { streams } from "@parley/protocol";
import { ensureStream } from "@parley/runtime";

const day = 24 * 3600 * 1e9;
/** What waits for longer is of no use: nothing waits for longer than a day but for want of a provider. */
const keptNanoseconds = 3 * day;
/** Within it JetStream drops what is published a second time. */
const repeatedNanoseconds = 600e9;

/** Makes PUSH where it is missing. */
export async function ensurePushStream(manager: JetStreamManager): Promise<void> {
  const { name, subjects } = streams.push;
  await ensureStream(manager, {
    name,
    subjects: [...subjects],
    storage: StorageType.File,
    retention: RetentionPolicy.Workqueue,
    max_age: keptNanoseconds,
    duplicate_window: repeatedNanoseconds,
  });
}
