// QoS 1 publishes of one connection, never more in flight than the broker takes (MQTT.js does not count them).
import type { IConnackPacket, MqttClient } from "mqtt";

type Done = (error?: Error & { code?: number }) => void;

export type PublishWindow = ReturnType<typeof startPublishWindow>;

/** VerneMQ takes ten and announces nothing, so ten it is unless the broker announces its Receive Maximum. */
const unannounced = 10;
const most = 200;
/** MQTT 5: packet too large */
const tooLarge = 0x95;
/** Fixed header, length of the topic, packet id and properties, at most. */
const headerBytes = 16;

/** What the broker announced: a larger packet would end the connection, and the next one again. */
export function startPublishWindow(client: MqttClient, announced: IConnackPacket["properties"] = {}) {
  const { receiveMaximum = unannounced, maximumPacketSize = Number.MAX_SAFE_INTEGER } = announced;
  const size = Math.min(receiveMaximum, most);
  const waiting: { topic: string; payload: string; done: Done }[] = [];
  const inFlight = new Set<Done>();
  const drains: (() => void)[] = [];
  let closed = false;

  function next(): void {
    while (!closed && inFlight.size < size) {
      const one = waiting.shift();
      if (!one) return;
      inFlight.add(one.done);
      client.publish(one.topic, one.payload, { qos: 1 }, (error) => {
        if (!inFlight.delete(one.done)) return;
        one.done(error);
        next();
        if (inFlight.size === 0) for (const drained of drains.splice(0)) drained();
      });
    }
  }

  return {
    publish(topic: string, payload: string, done: Done): void {
      if (!fits(topic + payload, maximumPacketSize - headerBytes)) {
        done(Object.assign(new Error(`the broker takes ${maximumPacketSize} bytes`), { code: tooLarge }));
        return;
      }
      // A function of its own, so that the same one may be handed in twice.
      waiting.push({ topic, payload, done: (error) => done(error) });
      next();
    },

    isBusy: () => inFlight.size > 0,

    /** Resolves when nothing waits any more, or the connection is gone. */
    drained(): Promise<void> {
      return inFlight.size === 0 ? Promise.resolve() : new Promise((resolve) => drains.push(resolve));
    },

    /** The connection is gone: whatever was not confirmed may or may not have arrived. */
    close(): void {
      closed = true;
      for (const done of [...inFlight, ...waiting.splice(0).map((one) => one.done)])
        done(new Error("the connection ended"));
      inFlight.clear();
      for (const drained of drains.splice(0)) drained();
    },
  };
}

const encoder = new TextEncoder();

// Most are far below the limit, and need no exact count.
function fits(text: string, bytes: number): boolean {
  return text.length * 3 <= bytes || encoder.encode(text).byteLength <= bytes;
}
