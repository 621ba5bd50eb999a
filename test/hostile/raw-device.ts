// A device of the hostile user: it writes whatever bytes it likes and reads nothing but what lets it go on.
import { connect, type Socket } from "node:net";
import mqttPacket, { type Packet } from "mqtt-packet";
import type { Session } from "./orders.ts";

export interface RawDevice {
  socket: Socket;
  /** Resolves true once CONNACK said yes; false when it did not, or nothing came. */
  letIn: Promise<boolean>;
  /** False when the system reads no further: what was given then waits in this process. */
  write(bytes: Buffer): boolean;
  end(): void;
}

const answerMs = 5_000;

export function openDevice(session: Session, options: { clean?: boolean; password?: string } = {}): RawDevice {
  const { host, port, username, password } = session.mqtt;
  const socket = connect({ host, port, noDelay: true });
  const parser = mqttPacket.parser({ protocolVersion: 4 });
  const letIn = new Promise<boolean>((resolve) => {
    socket.once("close", () => resolve(false));
    setTimeout(() => resolve(false), answerMs).unref();
    parser.once("packet", (packet: Packet) => resolve(packet.cmd === "connack" && packet.returnCode === 0));
  });
  let answered = false;
  void letIn.then(() => {
    answered = true;
  });
  // Only the first packet is looked at: what a flood is answered is of no interest.
  socket.on("data", (bytes: Buffer) => answered || parser.parse(bytes));
  socket.on("error", () => socket.destroy());
  const { clean = true } = options;
  socket.write(
    packetOf({
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 4,
      clientId: session.clientId,
      clean,
      keepalive: 0,
      username,
      password: Buffer.from(options.password ?? password),
    }),
  );
  return {
    socket,
    letIn,
    write: (bytes) => !socket.destroyed && socket.write(bytes),
    end: () => socket.destroy(),
  };
}

export function packetOf(packet: Packet): Buffer {
  return mqttPacket.generate(packet, { protocolVersion: 4 });
}

export function publishOf(topic: string, payload: string | Buffer, qos: 0 | 1, messageId = 1): Buffer {
  return packetOf({ cmd: "publish", topic, payload, qos, dup: false, retain: false, messageId });
}
