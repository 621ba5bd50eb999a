// A durable consumer of JetStream STORED that replicas share: made where it is missing, followed until closed.
import {
  AckPolicy,
  type ConsumerInfo,
  DeliverPolicy,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import { streams } from "@parley/protocol";
import { ensureConsumer } from "../connections/jetstream.ts";
import type { NatsConnection } from "../connections/nats.ts";
import type { Logger } from "../process/log.ts";
import type { Progress } from "./progress.ts";

export interface ConsumerOptions {
  nats: NatsConnection;
  /** its name, and the name of those who share it */
  durable: string;
  /** the subjects it follows */
  filter: string;
  /** one message at a time is in hand, of all replicas together */
  isOrdered?: boolean;
  /**
   * A consumer that does not exist begins so far back. What is older was told before, or nobody was there to be told:
   * it is had by sync, and a consumer that was lost must not tell the old messages of a week again.
   */
  beginMsBack: number;
  progress: Pick<Progress, "stream" | "floor" | "gather">;
  /** messages in hand at most; the rest stays there for other replicas */
  fetchedMax: number;
  /** What a replica took and does not speak of for this long goes to another one. */
  ackWaitMs: number;
  log: Logger;
}

const retryMs = 2_000;
/** all replicas together: two that have all they may hold, and two that come */
const pendingMax = (fetchedMax: number) => Math.max(500, 4 * fetchedMax);
const floorEveryMs = 2_000;

/** Waits for the stream, which history makes. */
export function followConsumer(options: ConsumerOptions, take: (message: JsMsg) => void): { close(): void } {
  const { nats, durable, fetchedMax, progress, log } = options;
  let closed = false;
  let stop: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function follow(): Promise<void> {
    const manager = await jetstreamManager(nats);
    const stream = await manager.streams.info(streams.stored.name);
    progress.stream(stream.created);
    tellFloor(await makeConsumer(manager, options));
    const consumer = await jetstream(nats).consumers.get(streams.stored.name, durable);
    const messages = await consumer.consume({
      max_messages: fetchedMax,
      abort_on_missing_resource: true,
      callback: take,
    });
    stop = () => messages.stop();
    if (closed) stop();
    const forgetFloor = followFloor(manager);
    const error = await messages.closed().finally(forgetFloor);
    if (error instanceof Error) throw error;
  }

  /** A consumer of which nothing was acknowledged yet says 0, wherever it began. */
  function tellFloor({ ack_floor, delivered, num_ack_pending }: ConsumerInfo): void {
    if (num_ack_pending === 0) progress.floor(delivered.stream_seq);
    else if (ack_floor.consumer_seq > 0) progress.floor(ack_floor.stream_seq);
  }

  /** What it says while it is there is where another one begins when it is gone. */
  function followFloor(manager: JetStreamManager): () => void {
    let followed = true;
    const read = () =>
      manager.consumers.info(streams.stored.name, durable).then(
        (info) => followed && tellFloor(info),
        (error: unknown) => log.debug({ event: "stored_floor_unknown", durable, reason: String(error) }),
      );
    const timer = setInterval(read, floorEveryMs);
    return () => {
      followed = false;
      clearInterval(timer);
    };
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
  { durable, filter, isOrdered, beginMsBack, progress, fetchedMax, ackWaitMs }: ConsumerOptions,
): Promise<ConsumerInfo> {
  // One that an earlier release made may wait longer.
  const changeable = { ack_wait: ackWaitMs * 1e6, max_ack_pending: isOrdered ? 1 : pendingMax(fetchedMax) };
  return ensureConsumer(manager, streams.stored.name, durable, changeable, async () => {
    const firstSeq = await progress.gather();
    const began = new Date(Date.now() - beginMsBack).toISOString();
    return {
      filter_subject: filter,
      ack_policy: AckPolicy.Explicit,
      ...(firstSeq === undefined
        ? { deliver_policy: DeliverPolicy.StartTime, opt_start_time: began }
        : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: firstSeq }),
    };
  });
}
