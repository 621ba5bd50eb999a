// Reads and writes the packets the edge looks into; the rest pass as they came.
import mqtt, { type IConnectPacket, type Packet } from "mqtt-packet";
import type { Reason } from "./reasons.ts";

export type Version = 4 | 5;

/** The control packet types of [MQTT-2.1.2], as they stand in the first byte's upper half. */
export const types = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  unsubscribe: 10,
  unsuback: 11,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
  auth: 15,
} as const;

/** One whole packet, or undefined when it is malformed. The parser is lenient: `grammar.ts` is what refuses. */
export function readPacket<C extends Packet["cmd"]>(
  bytes: Buffer,
  cmd: C,
  version: Version,
): Extract<Packet, { cmd: C }> | undefined {
  const parser = mqtt.parser({ protocolVersion: version });
  let found: Packet | undefined;
  let failed = false;
  parser.on("packet", (packet) => {
    found = packet;
  });
  parser.on("error", () => {
    failed = true;
  });
  try {
    parser.parse(bytes);
  } catch {
    return undefined;
  }
  if (failed || found?.cmd !== cmd) return undefined;
  return found as Extract<Packet, { cmd: C }>;
}

export function writePacket(packet: Packet, version: Version): Buffer {
  return mqtt.generate(packet, { protocolVersion: version });
}

/**
 * The CONNACK that refuses. MQTT 5 gets its words if they fit. undefined where only closing says it: MQTT 3.1.1 lacks a code
 * for many reasons, and after any code several libraries (MQTT.js, mosquitto_sub) never try again, though the cause passes.
 */
export function refusal(
  reason: Reason,
  version: Version,
  maxPacketBytes = Number.POSITIVE_INFINITY,
): Buffer | undefined {
  if (reason.silent) return undefined;
  if (version === 4) return reason.returnCode === undefined ? undefined : Buffer.from([0x20, 2, 0, reason.returnCode]);
  const packet = { cmd: "connack", sessionPresent: false, reasonCode: reason.code } as const;
  const long = writePacket(reason.words ? { ...packet, properties: { reasonString: reason.words } } : packet, 5);
  return long.length > maxPacketBytes ? writePacket(packet, 5) : long;
}

/** DISCONNECT from the server; only MQTT 5 has it. undefined where only closing says it. */
export function disconnection(reason: Reason): Buffer | undefined {
  return reason.silent ? undefined : Buffer.from([0xe0, 2, reason.code, 0]);
}

/** Where the packet id of a PUBLISH of QoS 1 or 2 stands, whose variable header begins at `body`. */
export function publishIdAt(bytes: Buffer, body: number): number {
  return body + 2 + bytes.readUInt16BE(body);
}

/** A packet of nothing but a packet id: PUBACK, PUBREC or PUBCOMP that says yes, in both versions. */
export function confirmation(type: "puback" | "pubrec" | "pubcomp", packetId: number): Buffer {
  return Buffer.from([types[type] << 4, 2, packetId >> 8, packetId & 0xff]);
}

/**
 * PUBACK (QoS 1) or PUBREC (QoS 2) for a refused PUBLISH. MQTT 5 is told the reason, in `words` too if there are any; MQTT
 * 3.1.1 has no word for it.
 */
export function publishAnswer(version: Version, qos: number, packetId: number, reason: Reason, words = ""): Buffer {
  const type = qos === 1 ? "puback" : "pubrec";
  if (version === 4) return confirmation(type, packetId);
  const code = reason.publishCode ?? reason.code;
  const packet = { cmd: type, messageId: packetId, reasonCode: code } as const;
  return writePacket(words === "" ? packet : { ...packet, properties: { reasonString: words } }, 5);
}

/** The protocol name and level of a CONNECT, read before anything else is believed [MQTT-3.1.2]. */
export function protocolOf(bytes: Buffer, body: number): { supported: boolean; answerAs: Version } {
  const nameLength = body + 2 <= bytes.length ? bytes.readUInt16BE(body) : 0;
  const name = bytes.toString("latin1", body + 2, body + 2 + nameLength);
  const level = bytes[body + 2 + nameLength] ?? 0;
  return { supported: name === "MQTT" && (level === 4 || level === 5), answerAs: level >= 5 ? 5 : 4 };
}

export type Connect = IConnectPacket & { protocolVersion: Version };
export type Will = NonNullable<IConnectPacket["will"]>;
