// Devices that chat in pairs at the broker itself, on every ingest partition, and what became of each message.
import { Socket } from "node:net";
import { deviceTopic, type Message, messagesTopic, uplinkTopic } from "@parley/protocol";
import { ingestPartition, ingestPartitions } from "@parley/protocol/partition";
import { type Cluster, eventually, type TestContext } from "@parley/testkit";
import { connectAsync, type MqttClient } from "mqtt";

export interface Device {
  uid: string;
  client: MqttClient;
  /** what came to the device's own topic, and to its user's */
  answers: Record<string, unknown>[];
  messages: Message[];
  send(packet: object | string): Promise<unknown>;
}

/** Registers the user and connects as the broker's own client, as behind EMQX. */
export async function connectDevice(t: TestContext, cluster: Cluster, clientId: string): Promise<Device> {
  const uid = clientId.split(":")[0] as string;
  await fetch(`${cluster.run().http}/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: uid, password: "correct horse" }),
  });
  const login = { username: "parley", password: cluster.servicesSecret, clientId, clean: false };
  const client = await connectAsync(cluster.wiring.urls.broker, login);
  // What is measured is Parley's time, not the kernel's wait for more to send.
  if (client.stream instanceof Socket) client.stream.setNoDelay(true);
  t.after(() => client.endAsync(true));
  const device: Device = {
    uid,
    client,
    answers: [],
    messages: [],
    send(packet) {
      const topic = uplinkTopic({ p: ingestPartition(clientId), uid, clientId, verb: "msg" });
      return client.publishAsync(topic, typeof packet === "string" ? packet : JSON.stringify(packet), { qos: 1 });
    },
  };
  client.on("message", (topic, payload) => {
    const packet = JSON.parse(payload.toString());
    (topic === messagesTopic(uid) ? device.messages : device.answers).push(packet);
  });
  await client.subscribeAsync([messagesTopic(uid), deviceTopic(uid, clientId)], { qos: 1 });
  return device;
}

export const text = (id: string, to: string, data: string = id) => ({ id, to, content: { type: "text", data } });

/** One message: when it was sent, acknowledged and delivered (performance.now()), and under which numbers. */
export interface Sent {
  at: number;
  ackedAt: number | undefined;
  deliveredAt: number | undefined;
  seqs: Set<number>;
  refused: string | undefined;
}

export interface Pair {
  sender: Device;
  receiver: Device;
  send(): void;
  sent: Sent[];
}

/** One pair for each ingest partition: the first sends to the second. */
export async function connectPairs(t: TestContext, cluster: Cluster): Promise<Pair[]> {
  const names = ingestPartitions.map((p) => {
    for (let count = 0; ; count++) if (ingestPartition(`s${count}`) === p) return `s${count}`;
  });
  // One after the other: hashing passwords is slow on purpose.
  const pairs: Pair[] = [];
  for (const name of names) pairs.push(await connectPair(t, cluster, name));
  return pairs;
}

async function connectPair(t: TestContext, cluster: Cluster, name: string): Promise<Pair> {
  const to = `r-${name}`;
  const [sender, receiver] = [await connectDevice(t, cluster, name), await connectDevice(t, cluster, to)];
  const sent: Sent[] = [];
  receiver.client.on("message", (_topic, payload) => {
    const { id, seq } = JSON.parse(payload.toString()) as Message;
    const one = sent[Number(id)];
    if (!one) return;
    one.deliveredAt ??= performance.now();
    one.seqs.add(seq);
  });
  sender.client.on("message", (topic, payload) => {
    if (topic === messagesTopic(name)) return;
    const { type, id, seq, code } = JSON.parse(payload.toString());
    const one = sent[Number(id)];
    if (!one) return;
    if (type === "nack") one.refused = String(code);
    else one.seqs.add(seq);
    one.ackedAt ??= performance.now();
  });
  return {
    sender,
    receiver,
    sent,
    send() {
      const id = String(sent.length);
      sent.push({
        at: performance.now(),
        ackedAt: undefined,
        deliveredAt: undefined,
        seqs: new Set(),
        refused: undefined,
      });
      void sender.send(text(id, `user/${to}`)).catch(() => undefined);
    },
  };
}

/** Sends over all pairs in turn, `rate` a second, until stopped. */
export function startLoad(pairs: readonly Pair[], rate: number): { stop(): void } {
  const startedAt = performance.now();
  let count = 0;
  const timer = setInterval(() => {
    for (; count < ((performance.now() - startedAt) * rate) / 1_000; count++) pairs[count % pairs.length]?.send();
  }, 5);
  return { stop: () => clearInterval(timer) };
}

export interface Outcome {
  sent: number;
  refused: number;
  /** not acknowledged, or not delivered */
  lost: number;
  /** stored more than once */
  doubled: number;
  /** stored before one that the same device had sent earlier */
  reordered: number;
}

/** Waits until every message is acknowledged and delivered, at most `timeoutMs`. */
export async function outcomeOf(pairs: readonly Pair[], timeoutMs = 60_000): Promise<Outcome> {
  const all = pairs.flatMap(({ sent }) => sent);
  const isDone = ({ ackedAt, deliveredAt, refused }: Sent) =>
    refused !== undefined || (ackedAt !== undefined && deliveredAt !== undefined);
  await eventually(() => all.every(isDone), { timeoutMs }).catch(() => undefined);
  const reordered = ({ sent }: Pair) => {
    const seqs = sent.map(({ seqs: [seq] }) => seq ?? 0).filter((seq) => seq > 0);
    return seqs.filter((seq, index) => index > 0 && seq <= (seqs[index - 1] as number)).length;
  };
  return {
    sent: all.length,
    refused: all.filter(({ refused }) => refused !== undefined).length,
    lost: all.filter((one) => !isDone(one)).length,
    doubled: all.filter(({ seqs }) => seqs.size > 1).length,
    reordered: pairs.reduce((sum, pair) => sum + reordered(pair), 0),
  };
}

/** How long delivery took of what was sent between two moments (ms). */
export function latencies(pairs: readonly Pair[], from: number, until: number) {
  const taken = pairs
    .flatMap(({ sent }) => sent)
    .filter(({ at }) => at >= from && at < until)
    .map(({ at, deliveredAt }) => (deliveredAt ?? Number.POSITIVE_INFINITY) - at)
    .sort((a, b) => a - b);
  const at = (share: number) => taken[Math.min(taken.length - 1, Math.floor(taken.length * share))] ?? Number.NaN;
  return { messages: taken.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** What became of the messages that were sent while there was trouble: a hundred a second. */
export async function underLoad(pairs: readonly Pair[], trouble: () => Promise<void>): Promise<Omit<Outcome, "sent">> {
  const load = startLoad(pairs, 100);
  const before = pairs[0]?.sent.length ?? 0;
  try {
    await eventually(() => (pairs[0]?.sent.length ?? 0) > before + 1);
    await trouble();
    const after = pairs[0]?.sent.length ?? 0;
    await eventually(() => (pairs[0]?.sent.length ?? 0) > after + 1);
  } finally {
    load.stop();
  }
  const { sent: _sent, ...outcome } = await outcomeOf(pairs);
  return outcome;
}
