// A stock MQTT client as a device: persistent session, reconnects by itself, subscribes at every connect.

import { AppError, decodeObject, type JsonObject, serverFields } from "@parley/protocol";
import mqtt, { type IClientOptions } from "mqtt";
import type { Copy } from "../checker/record.ts";
import type { Session } from "./people.ts";

export interface Device {
  uid: string;
  clientId: string;
  topics: Session["topics"];
  /** ms of performance.now() of the last connect, undefined while not connected */
  connectedAt(): number | undefined;
  /** QoS 1; what the broker has not confirmed goes again at the next connect. */
  publish(topic: string, payload: string | Buffer): void;
  close(): Promise<void>;
}

export interface DeviceOptions {
  session: Session;
  version: 4 | 5;
  onPacket(packet: JsonObject, topic: string): void;
}

/** Resolves when it is subscribed for the first time. */
export async function connectDevice({ session, version, onPacket }: DeviceOptions): Promise<Device> {
  const { uid, clientId, topics } = session;
  const { host, port, username, password } = session.mqtt;
  const client = mqtt.connect(`mqtt://${host}:${port}`, {
    ...({ reconnectOnConnackError: true } satisfies Partial<IClientOptions>),
    protocolVersion: version,
    ...(version === 5 ? { properties: { sessionExpiryInterval: 3_600 } } : {}),
    username,
    password,
    clientId,
    clean: false,
    keepalive: 5,
    connectTimeout: 5_000,
    reconnectPeriod: 300,
    resubscribe: false,
  });
  let connectedAt: number | undefined;
  const subscribed = Promise.withResolvers<void>();
  client.on("connect", () => {
    connectedAt = performance.now();
    client.subscribe(topics.subscribe, { qos: 1 }, (error) => {
      if (!error) subscribed.resolve();
    });
  });
  client.on("close", () => {
    connectedAt = undefined;
  });
  // Refused or cut: it comes again by itself.
  client.on("error", () => {});
  client.on("message", (topic, payload) => {
    const packet = decodeObject(payload);
    if (!(packet instanceof AppError)) onPacket(packet, topic);
  });
  await subscribed.promise;
  return {
    uid,
    clientId,
    topics,
    connectedAt: () => connectedAt,
    publish: (topic, payload) => void client.publish(topic, payload, { qos: 1 }),
    close: () => client.endAsync(true),
  };
}

/** A delivered or stored message as the checker compares it; undefined for any other packet. */
export function copyOf(packet: JsonObject): Copy | undefined {
  const { conv, seq, from, device } = packet;
  // What the server adds, later reactions among it, is not the sender's.
  const body: JsonObject = { ...packet };
  for (const field of serverFields) delete body[field];
  const type = (body.content as JsonObject | undefined)?.type;
  if (typeof seq !== "number" || typeof type !== "string") return undefined;
  const texts = { conv: String(conv), from: String(from), device: String(device), id: String(body.id) };
  return { ...texts, seq, type, body: JSON.stringify(body) };
}
