// A device of a load: as little of MQTT 3.1.1 as it takes, so that the load is not what is measured.
import { connect, type Socket } from "node:net";
import mqttPacket, { type Packet } from "mqtt-packet";

export interface Target {
  name: string;
  port: number;
  username: string;
  password: string;
}

export interface RawDevice {
  socket: Socket;
  /** Resolves when subscribed at QoS 1. */
  subscribe(topic: string): Promise<void>;
  /** At QoS 1; written with all else of this turn. */
  publish(topic: Buffer, payload: Buffer): void;
  close(): void;
}

/** Connects, and confirms each PUBLISH before it hands it to `onPublish`. */
export async function openDevice(
  { name, port, username, password }: Target,
  clientId: string,
  onPublish: (topic: Buffer, payload: Buffer) => void,
): Promise<RawDevice> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const out = openWriter(socket);
  let answered: (() => void) | undefined;
  let packetId = 0;
  socket.on(
    "data",
    readPackets((packet, body) => {
      const type = packet[0]! >> 4;
      if (type === 3) {
        const topicEnd = body + 2 + packet.readUInt16BE(body);
        out.write(Buffer.of(0x40, 2, packet[topicEnd]!, packet[topicEnd + 1]!));
        onPublish(packet.subarray(body + 2, topicEnd), packet.subarray(topicEnd + 2));
      } else if (type === 2 || type === 9) answered?.();
    }),
  );
  const closed = Promise.withResolvers<never>();
  closed.promise.catch(() => {});
  socket.on("error", closed.reject).on("close", () => closed.reject(new Error(`${name} closed the connection`)));
  const answer = () => {
    const answering = Promise.withResolvers<void>();
    answered = answering.resolve;
    return Promise.race([answering.promise, closed.promise]);
  };
  const login = { clientId, clean: true, keepalive: 0, username, password: Buffer.from(password) };
  const connected = answer();
  socket.write(encode({ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, ...login }));
  await connected;
  return {
    socket,
    async subscribe(topic) {
      const subscribed = answer();
      socket.write(encode({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic, qos: 1 }] }));
      await subscribed;
    },
    publish(topic, payload) {
      packetId = (packetId % 60_000) + 1;
      out.write(publishOf(topic, payload, packetId));
    },
    close: () => void socket.destroy(),
  };
}

/** What is written in one turn leaves together. */
function openWriter(socket: Socket): { write(bytes: Buffer): void } {
  let isCorked = false;
  return {
    write(bytes) {
      if (!isCorked) {
        isCorked = true;
        socket.cork();
        setImmediate(() => {
          isCorked = false;
          socket.uncork();
        });
      }
      socket.write(bytes);
    },
  };
}

/** Hands on each whole packet, and where its variable header begins. */
function readPackets(take: (packet: Buffer, body: number) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    let bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    for (;;) {
      const found = measure(bytes);
      if (found === undefined || found.end > bytes.length) break;
      take(bytes.subarray(0, found.end), found.body);
      bytes = bytes.subarray(found.end);
    }
    rest = bytes;
  };
}

function measure(bytes: Buffer): { body: number; end: number } | undefined {
  let length = 0;
  for (let at = 1, scale = 1; at < bytes.length && at < 5; at++, scale *= 128) {
    length += (bytes[at]! & 0x7f) * scale;
    if (bytes[at]! < 0x80) return { body: at + 1, end: at + 1 + length };
  }
  return undefined;
}

function publishOf(topic: Buffer, payload: Buffer, packetId: number): Buffer {
  const length = 4 + topic.length + payload.length;
  const head = length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
  const packet = Buffer.allocUnsafe(1 + head.length + length);
  packet[0] = 0x32;
  packet.set(head, 1);
  const body = 1 + head.length;
  packet.writeUInt16BE(topic.length, body);
  packet.set(topic, body + 2);
  packet.writeUInt16BE(packetId, body + 2 + topic.length);
  packet.set(payload, body + 4 + topic.length);
  return packet;
}

function encode(packet: Packet): Buffer {
  return mqttPacket.generate(packet, { protocolVersion: 4 });
}
