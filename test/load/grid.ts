// Senders who each talk to many: the traffic of thousands of conversations from a few connections.
import { deviceTopic, messagesTopic, uplinkTopic } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import type { Cluster } from "@parley/testkit";
import type { Talk } from "./fill.ts";
import type { Pair, Timing } from "./pairs.ts";
import { idOf, openSession } from "./session.ts";

/** Every sender has a conversation with every receiver. */
export interface Grid {
  senders: number;
  receivers: number;
}

const senderOf = (index: number) => `g${index}`;
const receiverOf = (index: number) => `h${index}`;
const receivingConnections = 10;
const text = "x".repeat(100);

/** The grid's conversations as they are to be found in the store, `messages` in all. */
export function talksOfGrid({ senders, receivers }: Grid, messages: number): Talk[] {
  const each = Math.ceil(messages / (senders * receivers));
  return Array.from({ length: senders * receivers }, (_, index) => ({
    a: senderOf(index % senders),
    b: receiverOf(Math.floor(index / senders)),
    messages: each,
  }));
}

/** One pair a sender, on the broker itself; each message goes to the receiver after the one before. */
export async function openGrid(cluster: Cluster, { senders, receivers }: Grid): Promise<Pair[]> {
  const waiting = new Map<string, { timing: Timing; open: number }>();
  const half = (payload: Buffer, tell: (timing: Timing) => void) => {
    if (payload.includes('"type":"nack"')) throw new Error(`refused: ${payload.toString()}`);
    const id = idOf(payload);
    const message = waiting.get(id);
    if (!message) return;
    tell(message.timing);
    if (--message.open === 0) waiting.delete(id);
  };
  const fixed = { url: cluster.wiring.urls.broker, username: "parley", password: cluster.servicesSecret };
  const login = (clientId: string) => ({ ...fixed, clientId });
  const topics = Array.from({ length: receivers }, (_, index) => messagesTopic(receiverOf(index)));
  const receiving = await Promise.all(
    Array.from({ length: Math.min(receivingConnections, receivers) }, (_, index) => {
      const own = topics.filter((_topic, at) => at % receivingConnections === index);
      return openSession(login(`bench-grid-${index}`), own, (payload) =>
        half(payload, (timing) => timing.delivered(performance.now())),
      );
    }),
  );
  let closing: Promise<unknown> | undefined;
  return Promise.all(
    Array.from({ length: senders }, async (_, index): Promise<Pair> => {
      const uid = senderOf(index);
      const clientId = `${uid}:bench`;
      const session = await openSession(login(clientId), [deviceTopic(uid, clientId)], (payload) =>
        half(payload, (timing) => timing.acknowledged(performance.now())),
      );
      const uplink = uplinkTopic({ p: ingestPartition(clientId), uid, clientId, verb: "msg" });
      let next = index;
      return {
        send(timing) {
          const id = `${uid}-${(next++).toString(36)}`;
          const to = receiverOf(next % receivers);
          waiting.set(id, { timing, open: 2 });
          const packet = `{"id":"${id}","to":"user/${to}","content":{"type":"text","data":"${text}"}}`;
          void session.publish(uplink, Buffer.from(packet), 1);
        },
        async close() {
          closing ??= Promise.all(receiving.map((one) => one.close({ graceful: true })));
          await Promise.all([session.close({ graceful: true }), closing]);
        },
      };
    }),
  );
}
