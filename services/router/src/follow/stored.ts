// Messages that no MQTT packet carried, delivered from STORED: one durable consumer, shared by the routers.
import {
  AckPolicy,
  DeliverPolicy,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import { parseStoredSubject, type StoredReferences, streams } from "@parley/protocol";
import { type Logger, type NatsConnection, within } from "@parley/runtime";
import type { StoredMessage } from "../deliver/deliver.ts";
import type { ReadStored } from "../deliver/read-stored.ts";

export interface StoredParts {
  nats: NatsConnection;
  readStored: ReadStored;
  deliver(message: StoredMessage): Promise<void>;
  log: Logger;
}

const durable = "router";
const fetchedMax = 50;
// What a router took and does not speak of for this long goes to another one.
const ackWaitMs = 5_000;
const workingEveryMs = 2_000;
const retryMs = 2_000;
const closeWaitMs = 3_000;

/**
 * Follows until closed; waits for the stream, which history makes. A reference is done when its message is delivered.
 * Close finishes what is being delivered and gives back the rest, for another router to take at once.
 */
export function followStored({ nats, readStored, deliver, log }: StoredParts): { close(): Promise<void> } {
  const inHand = new Set<JsMsg>();
  let last: Promise<void> = Promise.resolve();
  let closed = false;
  let stop: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function follow(): Promise<void> {
    const manager = await jetstreamManager(nats);
    await addConsumer(manager);
    const consumer = await jetstream(nats).consumers.get(streams.stored.name, durable);
    const options = { max_messages: fetchedMax, abort_on_missing_resource: true };
    const messages = await consumer.consume({ ...options, callback: take });
    stop = () => messages.stop();
    if (closed) stop();
    const error = await messages.closed();
    if (error instanceof Error) throw error;
  }

  function take(message: JsMsg): void {
    inHand.add(message);
    last = last.then(() => work(message)).finally(() => inHand.delete(message));
  }

  async function work(message: JsMsg): Promise<void> {
    if (closed) return message.nak();
    try {
      const q = parseStoredSubject(message.subject)?.q;
      for (const reference of message.json<StoredReferences>().entries)
        if (q !== undefined && reference.origin !== undefined) await deliverEntry(q, reference.pos);
      message.ack();
    } catch (error) {
      log.warn({ event: "stored_delivery_failed", subject: message.subject, reason: String(error) });
      message.nak(retryMs);
    }
  }

  async function deliverEntry(q: number, pos: number): Promise<void> {
    const message = await readStored(q, pos);
    if (message) await deliver(message);
  }

  function run(): void {
    follow()
      .catch((error: unknown) => log.debug({ event: "stored_waits", reason: String(error) }))
      .finally(() => {
        if (!closed) timer = setTimeout(run, retryMs);
      });
  }

  const working = setInterval(() => {
    for (const message of inHand) message.working();
  }, workingEveryMs);
  run();
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      stop?.();
      await within(closeWaitMs, last);
      clearInterval(working);
    },
  };
}

async function addConsumer(manager: JetStreamManager): Promise<void> {
  const changeable = { ack_wait: ackWaitMs * 1e6, max_ack_pending: 500 };
  const config = {
    ...changeable,
    durable_name: durable,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    filter_subject: streams.stored.originFilter,
  };
  const { name } = streams.stored;
  // One that an earlier release made may wait longer.
  await manager.consumers.add(name, config).catch(() => manager.consumers.update(name, durable, changeable));
}
