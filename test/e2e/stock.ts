// A stock MQTT client as a chat device: MQTT.js and what login answers; it sends again what nobody acknowledged.
import type { Ack, Message, Session } from "@parley/client";
import type { NackPacket } from "@parley/protocol";
import { eventually, type TestContext } from "@parley/testkit";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";

export type Answer = Record<string, unknown>;

export interface Stock {
  client: MqttClient;
  session: Session;
  /** Resolves with the ack; a packet that is not acknowledged goes again every two seconds, with the same id. */
  send(packet: { id: string } & Record<string, unknown>): Promise<Pick<Ack, "id" | "seq">>;
  /** Publishes as it is, and answers the next packet on the device's own topic. */
  ask(topic: string, payload: string | Buffer, qos?: 0 | 1): Promise<Answer>;
  /** What came on the user's topic. */
  messages(): readonly Message[];
  /** Refusals of messages, as they came. */
  nacks: NackPacket[];
}

const againMs = 2_000;

export async function openStock(t: TestContext, session: Session, options: IClientOptions = {}): Promise<Stock> {
  const { host, port, username, password } = session.mqtt;
  const client = mqtt.connect(`mqtt://${host}:${port}`, {
    username,
    password,
    clientId: session.clientId,
    clean: false,
    reconnectPeriod: 200,
    ...options,
  });
  client.on("error", () => {});
  t.after(() => client.endAsync(true));
  const messages: Message[] = [];
  const answers: Answer[] = [];
  const nacks: NackPacket[] = [];
  const unacked = new Map<string, { bytes: string; settle(ack: Pick<Ack, "id" | "seq">): void }>();
  const again = setInterval(() => {
    for (const { bytes } of unacked.values()) publish(bytes);
  }, againMs);
  t.after(() => clearInterval(again));
  const publish = (bytes: string) => {
    if (client.connected) client.publish(session.topics.publish.msg, bytes, { qos: 1 }, () => {});
  };
  client.on("message", (topic, payload) => {
    const packet = JSON.parse(`${payload}`);
    if (topic === session.topics.subscribe[0]) messages.push(packet);
    if (topic !== session.topics.subscribe[2]) return;
    answers.push(packet);
    if (packet.type === "nack") nacks.push(packet);
    if (packet.type !== "ack") return;
    unacked.get(packet.id)?.settle(packet);
    unacked.delete(packet.id);
  });
  await new Promise<void>((resolve) => client.once("connect", () => resolve()));
  await client.subscribeAsync(session.topics.subscribe, { qos: 1 });
  return {
    client,
    session,
    nacks,
    messages: () => messages,
    send: (packet) =>
      new Promise((settle) => {
        const bytes = JSON.stringify(packet);
        unacked.set(packet.id, { bytes, settle });
        publish(bytes);
      }),
    async ask(topic, payload, qos = 1) {
      const before = answers.length;
      await client.publishAsync(topic, payload, { qos });
      return eventually(() => answers[before]);
    },
  };
}
