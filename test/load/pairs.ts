// Pairs of stock MQTT devices, one that sends and one that receives, on the path or past it.
import { deviceTopic, messagesTopic, uplinkTopic } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import { idOf, openSession } from "./session.ts";

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
  /** The receiver never connects: what is acknowledged counts as delivered. */
  isAway?: boolean;
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
let nextId = 0;
const run = Date.now().toString(36);

export async function openPair({ mode, url, index, sender, receiver, isAway }: PairOptions): Promise<Pair> {
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
    openSession(
      { url, ...sender },
      mode === "raw" ? [] : [deviceTopic(senderUid(index), sender.clientId)],
      (payload) => {
        if (payload.includes('"type":"nack"')) throw new Error(`refused: ${payload.toString()}`);
        const id = idOf(payload);
        half(id, (timing) => timing.acknowledged(performance.now()));
        if (isAway) half(id, (timing) => timing.delivered(performance.now()));
      },
    ),
    isAway
      ? undefined
      : openSession({ url, ...receiver }, [messagesTopic(receiverUid(index))], (payload) =>
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
      await Promise.all([from.close({ graceful: true }), to?.close({ graceful: true })]);
    },
  };
}
