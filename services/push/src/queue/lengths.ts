// How much of each provider's queue is not done, as JetStream counts it: also what nobody takes now, and what waits for its time.
import { jetstreamManager } from "@nats-io/jetstream";
import { type PushProvider, streams } from "@parley/protocol";
import { type Logger, type NatsConnection, repeat } from "@parley/runtime";
import { durableOf } from "./consumer.ts";

/** Messages of the queue by provider. */
export type QueueLengths = ReadonlyMap<PushProvider, number>;

export interface WatchedQueues {
  /** As last heard; of a provider that was not heard of yet there is none. */
  last(): QueueLengths;
  /** As they are now. Rejects when JetStream does not answer. */
  read(): Promise<QueueLengths>;
  close(): Promise<void>;
}

const everyMs = 5_000;

export function watchQueues(nats: NatsConnection, providers: readonly PushProvider[], log: Logger): WatchedQueues {
  let last: QueueLengths = new Map();

  async function read(): Promise<QueueLengths> {
    const manager = await jetstreamManager(nats, { checkAPI: false });
    const lengths = providers.map(async (provider): Promise<[PushProvider, number]> => {
      const { num_pending, num_ack_pending } = await manager.consumers.info(streams.push.name, durableOf(provider));
      return [provider, num_pending + num_ack_pending];
    });
    last = new Map(await Promise.all(lengths));
    return last;
  }

  const reading = repeat(
    () => read().then(ignore, (error: unknown) => log.debug({ event: "push_queue_unknown", reason: String(error) })),
    () => everyMs,
  );
  return { last: () => last, read, close: reading.stop };
}

const ignore = () => undefined;
