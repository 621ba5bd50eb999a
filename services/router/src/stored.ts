// Messages that no MQTT packet carried, delivered from STORED: one durable consumer, shared by the routers.
import {
  AckPolicy,
  DeliverPolicy,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import { type Message, parseStoredSubject, type StoredReferences, streams, subjects } from "@parley/protocol";
import { type Logger, type NatsConnection, requestJson } from "@parley/runtime";
import type { Deliver } from "./deliver.ts";

interface StoredEntry {
  conv: string;
  seq: number;
  memberSeq: number;
  message?: Message;
}

const durable = "router";
const ackWaitNanoseconds = 30e9;
const retryMs = 2_000;
const timeoutMs = 3_000;

/** Follows until closed; waits for the stream, which history makes. A reference is done when its message is delivered. */
export function followStored(nats: NatsConnection, deliver: Deliver, log: Logger): { close(): Promise<void> } {
  let closed = false;
  let stop: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function follow(): Promise<void> {
    const manager = await jetstreamManager(nats);
    await addConsumer(manager);
    const consumer = await jetstream(nats).consumers.get(streams.stored.name, durable);
    const messages = await consumer.consume({ max_messages: 50 });
    stop = () => messages.stop();
    if (closed) stop();
    for await (const message of messages) await work(message);
  }

  async function work(message: JsMsg): Promise<void> {
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
    const entry = await requestJson<StoredEntry>(nats, subjects.stored, { q, pos }, { timeoutMs });
    if (!entry.message) return;
    const { conv, seq, from, device, ts, ...body } = entry.message;
    await deliver({ conv, seq, from, device, ts }, Buffer.from(JSON.stringify(body)), entry.memberSeq);
  }

  function run(): void {
    follow()
      .catch((error: unknown) => log.debug({ event: "stored_waits", reason: String(error) }))
      .finally(() => {
        if (!closed) timer = setTimeout(run, retryMs);
      });
  }

  run();
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      stop?.();
    },
  };
}

async function addConsumer(manager: JetStreamManager): Promise<void> {
  await manager.consumers.add(streams.stored.name, {
    durable_name: durable,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    filter_subject: streams.stored.originFilter,
    ack_wait: ackWaitNanoseconds,
    max_ack_pending: 500,
  });
}
