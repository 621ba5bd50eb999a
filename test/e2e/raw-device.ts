// A device that says exactly the bytes it is told to, for what no well-behaved client would send.
import { connect, type Socket } from "node:net";
import type { Session } from "@parley/client";
import { eventually, type TestContext } from "@parley/testkit";
import mqttPacket, { type Packet } from "mqtt-packet";

type Received = Packet & { reasonCode?: number; returnCode?: number };

export interface RawDevice {
  socket: Socket;
  send(packet: Packet): void;
  /** Resolves when the server has closed, with what it said since the CONNACK. */
  closed(): Promise<Received[]>;
}

export async function openRaw(
  t: TestContext,
  port: number,
  protocolVersion: 4 | 5,
): Promise<RawDevice & { heard: Received[] }> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  t.after(() => socket.destroy());
  const parser = mqttPacket.parser({ protocolVersion });
  const heard: Received[] = [];
  let ended = false;
  parser.on("packet", (packet) => heard.push(packet));
  socket.on("data", (bytes: Buffer) => parser.parse(bytes));
  socket.on("error", () => {});
  socket.on("close", () => {
    ended = true;
  });
  return {
    socket,
    heard,
    send: (packet) => void socket.write(mqttPacket.generate(packet, { protocolVersion })),
    closed: async () => {
      await eventually(() => ended);
      return heard;
    },
  };
}

/** A raw device that has been let in. */
export async function openRawSession(t: TestContext, session: Session, protocolVersion: 4 | 5) {
  const { clientId, mqtt } = session;
  const device = await openRaw(t, mqtt.port, protocolVersion);
  const login = { username: mqtt.username, password: Buffer.from(mqtt.password) };
  device.send({ cmd: "connect", protocolId: "MQTT", protocolVersion, clientId, clean: true, keepalive: 30, ...login });
  const connack = await eventually(() => device.heard.shift());
  if ((connack.reasonCode ?? connack.returnCode) !== 0) throw new Error(`refused: ${JSON.stringify(connack)}`);
  return { ...device, session };
}
