// A bare MQTT 3.1.1 device of QoS 1, for a thousand of them in one process.
import { connect } from "node:net";
import mqttPacket, { type Packet } from "mqtt-packet";

export interface Listener {
  subscribe(topic: string): Promise<void>;
  unsubscribe(topic: string): Promise<void>;
  /** Does not wait for the PUBACK. */
  publish(topic: string, payload: string): void;
  close(): void;
}

const lastPacketId = 65_535;

/** Resolves at CONNACK. `take` is called for every copy, which is PUBACKed: those that came together, together. */
export function openListener(
  login: { port: number; clientId: string; username: string; password: string },
  take: (payload: Buffer) => void,
): Promise<Listener> {
  const { port, clientId, username, password } = login;
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const waiting = new Map<number, () => void>();
    let last = 0;
    const nextId = () => {
      last = (last % lastPacketId) + 1;
      return last;
    };
    const ask = (packet: (messageId: number) => Packet) =>
      new Promise<void>((answered) => {
        const messageId = nextId();
        waiting.set(messageId, answered);
        socket.write(mqttPacket.generate(packet(messageId)));
      });
    const listener: Listener = {
      subscribe: (topic) => ask((messageId) => ({ cmd: "subscribe", messageId, subscriptions: [{ topic, qos: 1 }] })),
      unsubscribe: (topic) => ask((messageId) => ({ cmd: "unsubscribe", messageId, unsubscriptions: [topic] })),
      publish(topic, payload) {
        socket.write(
          mqttPacket.generate({
            cmd: "publish",
            topic,
            payload,
            qos: 1,
            messageId: nextId(),
            dup: false,
            retain: false,
          }),
        );
      },
      close: () => socket.destroy(),
    };
    const obey = (packet: Packet) => {
      if (packet.cmd === "publish") {
        if (packet.qos === 1) socket.write(pubackOf(packet.messageId ?? 0));
        take(packet.payload as Buffer);
      } else if (packet.cmd === "connack" && packet.returnCode === 0) resolve(listener);
      else if (packet.cmd === "connack") reject(new Error(`${clientId} is refused with code ${packet.returnCode}`));
      else if (packet.cmd === "suback" || packet.cmd === "unsuback") waiting.get(packet.messageId ?? 0)?.();
    };
    const parser = mqttPacket.parser({ protocolVersion: 4 }).on("packet", obey);
    socket.on("data", (bytes) => {
      socket.cork();
      parser.parse(bytes);
      socket.uncork();
    });
    socket.on("error", reject);
    const fixed = { cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clean: true, keepalive: 0 } as const;
    socket.write(mqttPacket.generate({ ...fixed, clientId, username, password: Buffer.from(password) }));
  });
}

function pubackOf(id: number): Buffer {
  return Buffer.from([0x40, 2, id >>> 8, id & 0xff]);
}
