// Pairs of stock MQTT devices, one that sends and one that receives, on the path or past it.
import { deviceTopic, messagesTopic, uplinkTopic } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import { type BrokerSession, createLogger, startBrokerSession } from "@parley/runtime";

/** `parley`: through the path, done when acknowledged and delivered. `raw`: one PUBLISH to the receiver's topic. */
export type Mode = "parley" | "raw";

export interface Login {
  username: string;
  password: string;
}

export interface PairOptions {
  mode: Mode;
  url: string;
  index: number;
  sender: Login & { clientId: string };
  receiver: Login & { clientId: string };
}

/** When a message was acknowledged (raw: PUBACK) and delivered, in ms of performance.now(). */
export interface Timing {
  acknowledged(ms: number): void;
  delivered(ms: number): void;
}

export interface Pair {
  send(timing: Timing): void;
  close(): Promise<void>;
}

export const senderUid = (index: number) => `s${index}`;
export const receiverUid = (index: number) => `r${index}`;
const text = "x".repeat(100);
const idKey = Buffer.from('"id":"');
let nextId = 0;
const run = Date.now().toString(36);

export async function openPair({ mode, url, index, sender, receiver }: PairOptions): Promise<Pair> {
  const waiting = new Map<string, Timing>();
  const early = new Map<string, number>();
  const uplink = uplinkTopic({
    p: ingestPartition(sender.clientId),
    uid: senderUid(index),
    clientId: sender.clientId,
    verb: "msg",
  });
  const topic = mode === "raw" ? messagesTopic(receiverUid(index)) : uplink;
  const half = (id: string, tell: (timing: Timing) => void) => {
    const timing = waiting.get(id);
    if (!timing) return;
    tell(timing);
    if (early.delete(id)) waiting.delete(id);
    else early.set(id, 1);
  };
  const [from, to] = await Promise.all([
    open(
      url,
      sender,
      mode === "raw" ? [] : [{ topic: deviceTopic(senderUid(index), sender.clientId), qos: 1 }],
      (payload) => {
        if (payload.includes('"type":"nack"')) throw new Error(`refused: ${payload.toString()}`);
        half(idOf(payload), (timing) => timing.acknowledged(performance.now()));
      },
    ),
    open(url, receiver, [{ topic: messagesTopic(receiverUid(index)), qos: 1 }], (payload) =>
      half(idOf(payload), (timing) => timing.delivered(performance.now())),
    ),
  ]);
  return {
    send(timing) {
      const id = `${run}${(nextId++).toString(36)}`;
      waiting.set(id, timing);
      const packet = `{"id":"${id}","to":"user/${receiverUid(index)}","content":{"type":"text","data":"${text}"}}`;
      const sent = from.publish(topic, Buffer.from(packet), 1);
      if (mode === "raw") void sent.then(() => half(id, (waits) => waits.acknowledged(performance.now())));
    },
    async close() {
      await Promise.all([from.close({ graceful: true }), to.close({ graceful: true })]);
    },
  };
}

const log = createLogger({ service: "bench", level: "error" });

async function open(
  url: string,
  login: Login & { clientId: string },
  subscriptions: { topic: string; qos: 1 }[],
  take: (payload: Buffer) => void,
): Promise<BrokerSession> {
  const session = startBrokerSession({
    url,
    ...login,
    cleanStart: true,
    sessionExpirySeconds: 0,
    receiveMaximum: 65_535,
    maxInFlight: 65_535,
    keepAliveSeconds: 60,
    subscriptions,
    log,
    onPacket(packet, ack) {
      ack();
      take(packet.payload);
    },
  });
  await session.whenConnected();
  return session;
}

function idOf(payload: Buffer): string {
  const start = payload.indexOf(idKey) + idKey.length;
  return payload.toString("latin1", start, payload.indexOf(0x22, start));
}
