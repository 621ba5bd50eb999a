// One device of a crowd: as little as a stock MQTT 3.1.1 client needs, for there are thousands in one process.
import { connect, type Socket } from "node:net";
import mqttPacket, { type Packet } from "mqtt-packet";

export interface CrowdLogin {
  port: number;
  clientId: string;
  username: string;
  password: string;
  topics: readonly string[];
}

/** How an attempt to connect ended: subscribed after so many ms, refused with a return code, or without a word. */
export type Attempt = { readyMs: number } | { refused: number } | "closed";

export interface CrowdDevice {
  /** Settles once an attempt; connected until `ended`. */
  connect(ended: () => void): Promise<Attempt>;
  ping(): void;
  cut(): void;
}

const keepAliveSeconds = 120;
// MQTT.js gives a broker this long for its CONNACK.
const patienceMs = 30_000;
const version = { protocolVersion: 4 } as const;
const pingreq = mqttPacket.generate({ cmd: "pingreq" });

export function createDevice({ port, clientId, username, password, topics }: CrowdLogin): CrowdDevice {
  let socket: Socket | undefined;
  const hello = mqttPacket.generate({
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 4,
    clientId,
    clean: true,
    keepalive: keepAliveSeconds,
    username,
    password: Buffer.from(password),
  });
  const subscribe = mqttPacket.generate({
    cmd: "subscribe",
    messageId: 1,
    subscriptions: topics.map((topic) => ({ topic, qos: 1 as const })),
  });

  return {
    connect: (ended) =>
      new Promise((settle) => {
        const begun = performance.now();
        let ready = false;
        const opened = connect({ port, host: "127.0.0.1", noDelay: true });
        socket = opened;
        const late = setTimeout(() => opened.destroy(), patienceMs);
        const take = (packet: Packet) => {
          if (packet.cmd === "connack" && packet.returnCode === 0) opened.write(subscribe);
          else if (packet.cmd === "connack") {
            settle({ refused: packet.returnCode ?? 0 });
            opened.destroy();
          } else if (packet.cmd === "suback") {
            ready = true;
            clearTimeout(late);
            settle({ readyMs: performance.now() - begun });
          }
        };
        const parser = mqttPacket.parser(version).on("packet", take);
        opened.on("connect", () => opened.write(hello));
        opened.on("data", (bytes) => parser.parse(bytes));
        opened.on("error", () => opened.destroy());
        opened.on("close", () => {
          clearTimeout(late);
          if (ready) ended();
          else settle("closed");
        });
      }),
    ping: () => void socket?.write(pingreq),
    cut: () => socket?.destroy(),
  };
}
