// A broker made of mqtt-packet and a script, for what Mosquitto does not do.
import { createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import mqttPacket, { type IConnackPacket, type IPublishPacket, type Packet } from "mqtt-packet";

const v5 = { protocolVersion: 5 } as const;

export type PeerConnection = {
  /** All packets of the client, oldest first. */
  received: Packet[];
  publishes(): IPublishPacket[];
  pubacks(): number[];
  /** How often bytes came. */
  reads(): number;
  send(...packets: Packet[]): void;
  cut(): void;
};

export type PeerScript = {
  connack?: (connection: number) => Partial<IConnackPacket>;
  granted?: (connection: number) => number[];
  pings?: boolean;
  /** PUBACKs every publish with this reason code; undefined: none. */
  pubackWith?: (packet: IPublishPacket, connection: number) => number | undefined;
};

export type Peer = { url: string; connections: PeerConnection[]; last(): PeerConnection };

export async function startPeer(t: TestContext, script: PeerScript = {}): Promise<Peer> {
  const connections: PeerConnection[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    connections.push(converse(socket, script, connections.length));
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { url: `mqtt://127.0.0.1:${address.port}`, connections, last: () => connections.at(-1) as PeerConnection };
}

export function publishPacket(messageId: number, payload: string, dup = false): IPublishPacket {
  return { cmd: "publish", topic: "in/x", payload: Buffer.from(payload), qos: 1, dup, retain: false, messageId };
}

function converse(socket: Socket, script: PeerScript, connection: number): PeerConnection {
  const received: Packet[] = [];
  let reads = 0;
  const send = (...packets: Packet[]) =>
    void socket.write(Buffer.concat(packets.map((packet) => mqttPacket.generate(packet, v5))));
  const parser = mqttPacket.parser(v5);
  parser.on("packet", (packet) => {
    received.push(packet);
    answer(packet, script, connection, send);
  });
  socket.setNoDelay(true);
  socket.on("data", (bytes) => {
    reads++;
    parser.parse(bytes);
  });
  socket.on("error", () => undefined);
  return {
    received,
    publishes: () => received.filter((packet) => packet.cmd === "publish"),
    pubacks: () => received.filter((packet) => packet.cmd === "puback").map(({ messageId = 0 }) => messageId),
    reads: () => reads,
    send,
    cut: () => socket.destroy(),
  };
}

function answer(packet: Packet, script: PeerScript, connection: number, send: (packet: Packet) => void): void {
  if (packet.cmd === "connect") {
    send({ cmd: "connack", sessionPresent: false, reasonCode: 0, ...script.connack?.(connection) });
  } else if (packet.cmd === "subscribe") {
    const granted = script.granted?.(connection) ?? packet.subscriptions.map(({ qos }) => qos);
    send({ cmd: "suback", messageId: packet.messageId ?? 0, granted });
  } else if (packet.cmd === "pingreq" && script.pings !== false) {
    send({ cmd: "pingresp" });
  } else if (packet.cmd === "publish" && packet.qos === 1) {
    const reasonCode = script.pubackWith?.(packet, connection);
    if (reasonCode !== undefined) send({ cmd: "puback", messageId: packet.messageId ?? 0, reasonCode });
  }
}
