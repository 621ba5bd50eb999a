// One device that sends to whomever it is told to, and says of each message when it was stored.
import { type AckPacket, deviceTopic, uplinkTopic } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import type { Cluster } from "@parley/testkit";
import { openSession } from "../session.ts";

export interface Sender {
  /** Answers when it was stored, in unix ms. */
  send(to: string, id: string): Promise<number>;
  close(): Promise<void>;
}

const text = "x".repeat(100);

/** On the broker itself, so that no hook is asked. */
export async function openSender(cluster: Cluster, uid: string): Promise<Sender> {
  const clientId = `${uid}:bench`;
  const login = { url: cluster.wiring.urls.broker, username: "parley", password: cluster.servicesSecret, clientId };
  const waiting = new Map<string, PromiseWithResolvers<number>>();
  const session = await openSession(login, [deviceTopic(uid, clientId)], (payload) => {
    const { type, id, ts } = JSON.parse(payload.toString()) as AckPacket;
    if (type === "ack") waiting.get(id)?.resolve(ts);
    else waiting.get(id)?.reject(new Error(`refused: ${payload.toString()}`));
    waiting.delete(id);
  });
  const topic = uplinkTopic({ p: ingestPartition(clientId), uid, clientId, verb: "msg" });
  return {
    send(to, id) {
      const stored = Promise.withResolvers<number>();
      waiting.set(id, stored);
      const packet = JSON.stringify({ id, to, content: { type: "text", data: text } });
      void session.publish(topic, Buffer.from(packet), 1);
      return stored.promise;
    },
    close: () => session.close({ graceful: true }),
  };
}
