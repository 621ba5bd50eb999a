// The consumer of one provider's queue, which replicas share: made where it is missing, and taken from for as long as there is room.
import { setTimeout as sleep } from "node:timers/promises";
import {
  AckPolicy,
  type Consumer,
  type ConsumerMessages,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import { type PushProvider, pushSubject, streams } from "@parley/protocol";
import { ensureConsumer, type Logger, type NatsConnection, natsConnected } from "@parley/runtime";
import { ensurePushStream } from "./stream.ts";

/** What a replica has in hand and does not speak of for so long goes to another one. */
const ackWaitMs = 15_000;
const workingEveryMs = 5_000;
/** Messages of all replicas together. Those that wait for their time count too, and new ones must not wait behind them. */
const pendingMax = 200_000;
const retryMs = 2_000;
const askedMs = 10_000;

export interface QueueOptions {
  nats: NatsConnection;
  provider: PushProvider;
  /** How many messages may come now; asked for again and again. Resolves when there is room for one at least. */
  room(): Promise<number>;
  take(message: JsMsg): void;
  log: Logger;
}

export interface QueueConsumer {
  /** It is in nobody's hand here any more. */
  done(message: JsMsg, how: "taken" | { againMs: number }): void;
  /** Those on their way here go back, and no more come before there is room anew. */
  interrupt(): void;
  close(): void;
}

export function consumeQueue(options: QueueOptions): QueueConsumer {
  const { nats, provider, room, take, log } = options;
  const inHand = new Set<JsMsg>();
  const closing = new AbortController();
  const isClosed = () => closing.signal.aborted;
  let messages: ConsumerMessages | undefined;

  async function follow(): Promise<void> {
    const consumer = await makeConsumer(nats, provider);
    while (!isClosed()) {
      const max_messages = await room();
      if (isClosed()) return;
      messages = await consumer.fetch({ max_messages, expires: askedMs });
      for await (const message of messages) {
        inHand.add(message);
        take(message);
      }
    }
  }

  async function run(): Promise<void> {
    while (!isClosed()) {
      await follow().catch((error: unknown) =>
        log.debug({ event: "push_queue_waits", provider, reason: String(error) }),
      );
      await sleep(retryMs, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  }

  const speaking = setInterval(() => {
    if (natsConnected(nats)) for (const message of inHand) message.working();
  }, workingEveryMs);
  void run();
  return {
    done(message, how) {
      inHand.delete(message);
      // Without NATS it comes again by itself.
      if (!natsConnected(nats)) return;
      if (how === "taken") message.ack();
      else message.nak(how.againMs);
    },
    interrupt: () => messages?.stop(),
    close() {
      closing.abort();
      clearInterval(speaking);
      messages?.stop();
    },
  };
}

/** What its consumer is called. */
export function durableOf(provider: PushProvider): string {
  return `push-${provider}`;
}

async function makeConsumer(nats: NatsConnection, provider: PushProvider): Promise<Consumer> {
  const manager = await jetstreamManager(nats);
  await ensurePushStream(manager);
  const { name } = streams.push;
  const durable = durableOf(provider);
  const changeable = { ack_wait: ackWaitMs * 1e6, max_ack_pending: pendingMax };
  const fixed = { filter_subject: pushSubject(provider), ack_policy: AckPolicy.Explicit };
  await ensureConsumer(manager, name, durable, changeable, () => fixed);
  return jetstream(nats).consumers.get(name, durable);
}
