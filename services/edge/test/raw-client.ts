// A device that says exactly the bytes it is told to, for what no well-behaved client would send.
import { connect, type Socket } from "node:net";
import { eventually, type TestContext } from "@parley/testkit";
import mqttPacket, { type IConnectPacket, type Packet } from "mqtt-packet";

export interface RawClient {
  socket: Socket;
  /** A packet, or bytes as they are. */
  send(packet: Packet | Buffer | number[]): void;
  /** The next packet from the server. Rejects when the connection ends first. */
  next(): Promise<Packet & Record<string, unknown>>;
  /** Resolves when the server has closed; what it said before and nobody took is the answer. */
  closed(): Promise<Packet[]>;
}

export type Version = 4 | 5;

export function connectPacket(version: Version, clientId: string, rest: Partial<IConnectPacket> = {}): IConnectPacket {
  return {
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: version,
    clientId,
    clean: true,
    keepalive: 0,
    username: "alice",
    password: Buffer.from("secret"),
    ...rest,
  };
}

export async function openRaw(t: TestContext, port: number, version: Version): Promise<RawClient> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  t.after(() => socket.destroy());
  const parser = mqttPacket.parser({ protocolVersion: version });
  const packets: Packet[] = [];
  let ended = false;
  parser.on("packet", (packet) => packets.push(packet));
  socket.on("data", (bytes: Buffer) => parser.parse(bytes));
  socket.on("close", () => {
    ended = true;
  });
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("connect", resolve));
  return {
    socket,
    send: (packet) => {
      const bytes = Buffer.isBuffer(packet) || Array.isArray(packet) ? Buffer.from(packet) : encode(packet, version);
      socket.write(bytes);
    },
    next: async () => {
      await eventually(() => packets.length > 0 || ended);
      const packet = packets.shift();
      if (packet === undefined) throw new Error("the server closed and said nothing");
      return packet as Packet & Record<string, unknown>;
    },
    closed: async () => {
      await eventually(() => ended);
      return packets;
    },
  };
}

export function encode(packet: Packet, version: Version): Buffer {
  return mqttPacket.generate(packet, { protocolVersion: version });
}

/** A raw client that has been let in. */
export async function openSession(
  t: TestContext,
  port: number,
  version: Version,
  clientId: string,
  rest: Partial<IConnectPacket> = {},
): Promise<RawClient> {
  const client = await openRaw(t, port, version);
  client.send(connectPacket(version, clientId, rest));
  const connack = await client.next();
  if ((connack.reasonCode ?? connack.returnCode) !== 0) throw new Error(`refused: ${JSON.stringify(connack)}`);
  return client;
}
