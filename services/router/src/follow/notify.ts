// Packets that other services have for devices: published on whichever session this router has.
import { deviceTopic, ephemeralTopic, messagesTopic, type NotifyRequest, subjects } from "@parley/protocol";
import { type Logger, type NatsConnection, natsConnected, parseJson, within } from "@parley/runtime";
import type { Ingest } from "../ingest/ingest.ts";

const closeWaitMs = 1_000;

/** Follows `notify` until closed; each request is one router's. Close waits for what is in hand. */
export function followNotify(nats: NatsConnection, ingest: Ingest, log: Logger): { close(): Promise<void> } {
  const inHand = new Set<Promise<void>>();
  const subscription = nats.subscribe(subjects.notify, {
    queue: "router",
    callback: (error, message) => {
      if (error) return log.error({ event: "notify_failed", reason: error.message });
      const published = publish(ingest, parseJson(message.data) as NotifyRequest)
        .catch((thrown: unknown) => log.warn({ event: "notify_failed", reason: String(thrown) }))
        .finally(() => inHand.delete(published));
      inHand.add(published);
    },
  });
  return {
    async close() {
      if (natsConnected(nats)) await within(closeWaitMs, subscription.drain());
      else subscription.unsubscribe();
      await within(closeWaitMs, Promise.all(inHand));
    },
  };
}

async function publish(ingest: Ingest, { uids = [], channel, device, packet }: NotifyRequest): Promise<void> {
  const topics = uids.map(channel === "m" ? messagesTopic : ephemeralTopic);
  if (device) topics.push(deviceTopic(device.uid, device.clientId));
  await ingest.publishMany(topics, Buffer.from(JSON.stringify(packet)), channel === "m" ? 1 : 0);
}
