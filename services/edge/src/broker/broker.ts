// The connections to the broker behind the edge: one a device, and short ones that end a session or probe.
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { servicesUsername } from "@parley/protocol";
import { brokerAddress, type Turns } from "@parley/runtime";
import type { IConnackPacket } from "mqtt-packet";
import { Framing } from "../packets/framing.ts";
import { readPacket, types, type Version, writePacket } from "../packets/packets.ts";
import { destroyOnError } from "../streams.ts";

export interface Broker {
  at: NetConnectOpts;
  /** the services' login, which stands in place of every device's own */
  username: string;
  password: string;
  timeoutMs: number;
}

/** An answered CONNECT. `framing` may hold packets that came with the CONNACK. */
export interface BrokerConnection {
  socket: Socket;
  framing: Framing;
  connack: IConnackPacket;
}

/** The largest packet MQTT can spell: what the broker sends is the broker's to bound. */
const anySize = 268_435_460;

export function readBroker(url: string, password: string, timeoutMs: number): Broker {
  if (url.startsWith("mqtts:"))
    throw new Error("PARLEY_BROKER_URL: mqtts:// is not supported, use mqtt://host:port or unix:///path");
  return { at: brokerAddress(url), username: servicesUsername, password, timeoutMs };
}

/** Between two tries to reach a broker at whose port nobody listens; one whose queue of connections is full takes them soon. */
const retryMs = { away: 100, full: 10 };

/**
 * As `connectBroker`, but waits for a broker that is being started again, as long as `isWanted` and within its timeout:
 * many stock clients take a CONNACK that refuses for the last word, and would need a restart themselves.
 */
export async function awaitBroker(
  broker: Broker,
  connectPacket: Buffer,
  version: Version,
  { turns, isWanted }: { turns: Turns; isWanted: () => boolean },
): Promise<BrokerConnection | undefined> {
  let leftMs = broker.timeoutMs;
  for (;;) {
    // Who has been judged goes before those that have not.
    const done = await turns.take({ rank: 0, isWanted });
    if (done === undefined) return undefined;
    const triedAt = performance.now();
    const found = await tryBroker({ ...broker, timeoutMs: leftMs }, connectPacket, version).finally(done);
    if (found !== "away" && found !== "full") return found;
    leftMs -= performance.now() - triedAt + retryMs[found];
    if (leftMs <= 0 || !isWanted()) return undefined;
    await sleep(retryMs[found]);
    if (!isWanted()) return undefined;
  }
}

const unreached: Readonly<Record<string, "away" | "full">> = {
  ECONNREFUSED: "away",
  // A socket's file is missing as long as the broker has not made it.
  ENOENT: "away",
  // So a Unix socket says at once what makes a TCP one wait.
  EAGAIN: "full",
};

/** Sends `connectPacket` and resolves with the broker's CONNACK, whatever it says; undefined when none came. The socket is paused. */
async function connectBroker(
  broker: Broker,
  connectPacket: Buffer,
  version: Version,
): Promise<BrokerConnection | undefined> {
  const found = await tryBroker(broker, connectPacket, version);
  return found === "away" || found === "full" ? undefined : found;
}

/** `away`: nobody listens there; `full`: as many wait there as may. Nothing was sent. */
function tryBroker(
  broker: Broker,
  connectPacket: Buffer,
  version: Version,
): Promise<BrokerConnection | "away" | "full" | undefined> {
  return new Promise((resolve) => {
    const socket = connect(broker.at);
    const framing = new Framing(anySize);
    const timer = setTimeout(() => socket.destroy(), broker.timeoutMs);
    const settle = (connection: BrokerConnection | "away" | "full" | undefined): void => {
      clearTimeout(timer);
      // One by one: `removeAllListeners` leaves a slower and larger table of them. What is left may not hold on to the CONNECT.
      socket.off("error", fail).off("close", end).off("data", take);
      destroyOnError(socket);
      socket.pause();
      if (typeof connection !== "object") socket.destroy();
      resolve(connection);
    };
    const fail = ({ code = "" }: NodeJS.ErrnoException): void => settle(unreached[code]);
    const end = (): void => settle(undefined);
    const take = (chunk: Buffer): void => {
      framing.push(chunk);
      const found = framing.next();
      if (found === "more") return;
      const connack = found === "packet" ? readPacket(framing.packet(), "connack", version) : undefined;
      settle(connack && { socket, framing, connack });
    };
    socket.on("error", fail).on("close", end).on("data", take);
    socket.write(connectPacket);
  });
}

/**
 * Ends the session of a client id, connected or not: "ended", "unknown" when the broker had none, "failed" when it did not
 * answer. Resumes it once with an expiry of 0, so that one connection both tells and deletes [MQTT5 3.1.2.11.2].
 */
export async function endSession(broker: Broker, clientId: string): Promise<"ended" | "unknown" | "failed"> {
  const connection = await connectBroker(broker, briefConnect(broker, clientId, false), 5);
  if (connection === undefined) return "failed";
  connection.socket.end(Buffer.from([types.disconnect << 4, 0]));
  connection.socket.resume();
  if (connection.connack.reasonCode !== 0) return "failed";
  return connection.connack.sessionPresent ? "ended" : "unknown";
}

/** What a probe found out. */
export interface BrokerState {
  /** bytes of memory in use, where the broker says so (Mosquitto) */
  heapBytes: number | undefined;
}

const heapTopic = "$SYS/broker/heap/current";

/** Logs in as a service, publishes `packets` and hears a publish of its own: undefined when the broker does not do that in time. */
export async function probeBroker(
  broker: Broker,
  clientId: string,
  packets: Buffer = Buffer.alloc(0),
): Promise<BrokerState | undefined> {
  let heapBytes: number | undefined;
  const heard = await visitBroker(broker, clientId, {
    filters: [heapTopic],
    packets,
    onPublish(_, payload) {
      heapBytes = Number(payload.toString()) || undefined;
    },
  });
  return heard ? { heapBytes } : undefined;
}

export interface Visit {
  /** What is retained there is told, of one after the other. */
  filters: readonly string[];
  /** PUBLISHes of QoS 0 */
  packets: Buffer;
  onPublish(topic: string, payload: Buffer): void;
  /** All of one filter was told. */
  onHeard?(): void;
}

/** A short connection of a service: true when the broker has taken and told all, and publishes of the visit's own. */
export async function visitBroker(broker: Broker, clientId: string, visit: Visit): Promise<boolean> {
  const connection = await connectBroker(broker, briefConnect(broker, clientId, true), 5);
  if (connection === undefined) return false;
  const { socket, connack } = connection;
  if (connack.reasonCode !== 0) {
    socket.destroy();
    return false;
  }
  const ownTopic = `probe/${clientId}`;
  const ownPublish = listen(connection, ownTopic, visit.onPublish);
  if (visit.packets.length > 0) socket.write(visit.packets);
  let heard = true;
  for (let index = 0; heard && index < visit.filters.length; index++) {
    const subscriptions = [visit.filters[index]!, ownTopic].map((topic) => ({ topic, qos: 0 as const }));
    const publish = { cmd: "publish", topic: ownTopic, payload: "", qos: 1, retain: false, dup: false } as const;
    socket.write(writePacket({ cmd: "subscribe", messageId: 2 * index + 1, subscriptions }, 5));
    socket.write(writePacket({ ...publish, messageId: 2 * index + 2 }, 5));
    // What is retained comes before our own publish.
    heard = await ownPublish(broker.timeoutMs);
    if (heard) visit.onHeard?.();
  }
  socket.end(Buffer.from([types.disconnect << 4, 0]));
  socket.resume();
  return heard;
}

/** Tells what is published; answers what waits for the next publish of its own, false when none comes. */
function listen(
  { socket, framing }: BrokerConnection,
  ownTopic: string,
  onPublish: Visit["onPublish"],
): (timeoutMs: number) => Promise<boolean> {
  let settle: ((heard: boolean) => void) | undefined;
  const read = (): void => {
    while (framing.next() === "packet") {
      const bytes = framing.packet();
      if (bytes[0]! >> 4 !== types.publish) continue;
      const publish = readPacket(bytes, "publish", 5);
      if (publish?.topic === ownTopic) settle?.(true);
      else if (publish !== undefined) onPublish(publish.topic, Buffer.from(publish.payload));
    }
  };
  socket.once("close", () => settle?.(false));
  read();
  socket.on("data", (chunk: Buffer) => {
    framing.push(chunk);
    read();
  });
  socket.resume();
  return async (timeoutMs) => {
    if (socket.destroyed) return false;
    const timer = setTimeout(() => socket.destroy(), timeoutMs);
    const heard = await new Promise<boolean>((resolve) => {
      settle = resolve;
    });
    clearTimeout(timer);
    return heard;
  };
}

function briefConnect({ username, password }: Broker, clientId: string, clean: boolean): Buffer {
  const properties = { sessionExpiryInterval: 0, receiveMaximum: 1 };
  return writePacket(
    {
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 5,
      clientId,
      clean,
      keepalive: 10,
      username,
      password: Buffer.from(password),
      properties,
    },
    5,
  );
}
