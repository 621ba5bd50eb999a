// A durable consumer of JetStream STORED that replicas share: made where it is missing, followed until closed.
import {
  AckPolicy,
  DeliverPolicy,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import { streams } from "@parley/protocol";
import type { NatsConnection } from "../connections/nats.ts";
import type { Logger } from "../process/log.ts";

export interface ConsumerOptions {
  nats: NatsConnection;
  /** its name, and the name of those who share it */
  durable: string;
  /** the subjects it follows */
  filter: string;
  /**
   * A consumer that does not exist begins so far back. What is older was told before, or nobody was there to be told:
   * it is had by sync, and a consumer that was lost must not tell the old messages of a week again.
   */
  beginMsBack: number;
  /**
   * The first message of the stream that this replica is not done with, asked when the consumer is found missing: it
   * begins there. undefined: nothing is known, `beginMsBack` holds.
   */
  resumeAt(): number | undefined;
  /** The stream was made anew: its numbers begin again, and what was known of them means nothing. */
  startOver(): void;
  /** messages in hand at most; the rest stays there for other replicas */
  fetchedMax: number;
  log: Logger;
}

/** What a replica took and does not speak of for this long goes to another one. */
const ackWaitMs = 5_000;
const retryMs = 2_000;
const pendingMax = 500;

/** Waits for the stream, which history makes. */
export function followConsumer(options: ConsumerOptions, take: (message: JsMsg) => void): { close(): void } {
  const { nats, durable, fetchedMax, log } = options;
  let closed = false;
  let stop: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;

  /** when the stream was made that places were remembered of */
  let created: string | undefined;

  async function follow(): Promise<void> {
    const manager = await jetstreamManager(nats);
    const stream = await manager.streams.info(streams.stored.name);
    if (created !== stream.created) options.startOver();
    created = stream.created;
    await makeConsumer(manager, options);
    const consumer = await jetstream(nats).consumers.get(streams.stored.name, durable);
    const messages = await consumer.consume({
      max_messages: fetchedMax,
      abort_on_missing_resource: true,
      callback: take,
    });
    stop = () => messages.stop();
    if (closed) stop();
    const error = await messages.closed();
    if (error instanceof Error) throw error;
  }

  function run(): void {
    follow()
      .catch((error: unknown) => log.debug({ event: "stored_waits", durable, reason: String(error) }))
      .finally(() => {
        if (!closed) timer = setTimeout(run, retryMs);
      });
  }

  run();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      stop?.();
    },
  };
}

async function makeConsumer(
  manager: JetStreamManager,
  { durable, filter, beginMsBack, resumeAt }: ConsumerOptions,
): Promise<void> {
  const { name } = streams.stored;
  // One that an earlier release made may wait longer.
  const changeable = { ack_wait: ackWaitMs * 1e6, max_ack_pending: pendingMax };
  const exists = await manager.consumers.update(name, durable, changeable).then(
    () => true,
    (error: unknown) => {
      if (/consumer not found/i.test(String(error))) return false;
      throw error;
    },
  );
  if (exists) return;
  const firstSeq = resumeAt();
  const config = {
    ...changeable,
    durable_name: durable,
    filter_subject: filter,
    ack_policy: AckPolicy.Explicit,
    ...(firstSeq === undefined
      ? {
          deliver_policy: DeliverPolicy.StartTime,
          opt_start_time: new Date(Date.now() - beginMsBack).toISOString(),
        }
      : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: firstSeq }),
  };
  // Of two replicas that make it at the same moment one is told that it exists.
  await manager.consumers.add(name, config).catch(() => manager.consumers.info(name, durable));
}
