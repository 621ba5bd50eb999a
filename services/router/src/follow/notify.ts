// Packets that other services have for devices: published on whichever session this router has.
import { type NotifyRequest, type Recipients, subjects } from "@parley/protocol";
import { type Logger, type NatsConnection, natsConnected, parseJson, within } from "@parley/runtime";
import type { Send } from "../deliver/send.ts";

const closeWaitMs = 1_000;

/** Follows `notify` until closed; each request is one router's. Close waits for what is in hand. */
export function followNotify(nats: NatsConnection, send: Send, log: Logger): { close(): Promise<void> } {
  const inHand = new Set<Promise<void>>();
  const subscription = nats.subscribe(subjects.notify, {
    queue: "router",
    callback: (error, message) => {
      if (error) return log.error({ event: "notify_failed", reason: error.message });
      const notified = notify(send, message.data)
        .catch((thrown: unknown) => log.warn({ event: "notify_failed", reason: String(thrown) }))
        .finally(() => inHand.delete(notified));
      inHand.add(notified);
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

async function notify(send: Send, bytes: Uint8Array): Promise<void> {
  const { uids = [], channel, device, devices = [], packet, more = [] } = parseJson(bytes) as NotifyRequest;
  const to: Recipients = { users: uids, devices: device ? [device, ...devices] : devices };
  const publish = channel === "m" ? send.once : send.moment;
  await Promise.all([packet, ...more].map((one) => publish(Buffer.from(JSON.stringify(one)), to)));
}
