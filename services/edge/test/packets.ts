// Packets of raw clients, with what tests seldom care about.
import type { IPublishPacket, ISubscription } from "mqtt-packet";
import type { RawClient } from "./raw-client.ts";

export const publish = (topic: string, rest: Partial<IPublishPacket> = {}): IPublishPacket => ({
  cmd: "publish",
  topic,
  payload: "x",
  qos: 0,
  dup: false,
  retain: false,
  ...rest,
});

export const subscribe = (messageId: number, ...subscriptions: ISubscription[]) =>
  ({ cmd: "subscribe", messageId, subscriptions }) as const;

export const unsubscribe = (messageId: number, ...unsubscriptions: string[]) =>
  ({ cmd: "unsubscribe", messageId, unsubscriptions }) as const;

/** Sends a PINGREQ: what comes before its answer was sent before. */
export async function untilPong(client: RawClient): Promise<Record<string, unknown>[]> {
  client.send({ cmd: "pingreq" });
  const packets: Record<string, unknown>[] = [];
  for (;;) {
    const packet = await client.next();
    if (packet.cmd === "pingresp") return packets;
    packets.push(packet);
  }
}
