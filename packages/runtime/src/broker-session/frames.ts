// Bytes from the broker, cut into packets. PUBLISH without properties and PUBACK are read here, nearly all there is
// to read; mqtt-packet reads the rest.
import mqttPacket from "mqtt-packet";
import type { ReceivedPacket, ReceivedProperties } from "./options.ts";

export type FrameReceiver = {
  publish(packet: ReceivedPacket, id: number): void;
  puback(id: number, reasonCode: number): void;
  other(packet: mqttPacket.Packet): void;
};

/** The broker sent what MQTT does not allow. */
export class MalformedPacketError extends Error {}

const NO_PROPERTIES: ReceivedProperties = Object.freeze({});
const PUBLISH = 3;
const PUBACK = 0x40;

export class FrameReader {
  readonly #receiver: FrameReceiver;
  readonly #parser: mqttPacket.Parser;
  /** Pieces of a packet that is not here yet as a whole. */
  #parts: Buffer[] = [];
  #partBytes = 0;
  #neededBytes = 0;

  constructor(receiver: FrameReceiver) {
    this.#receiver = receiver;
    this.#parser = mqttPacket.parser({ protocolVersion: 5 });
    this.#parser.on("packet", (packet) => this.#dispatch(packet));
    this.#parser.on("error", (cause) => {
      throw new MalformedPacketError(cause instanceof Error ? cause.message : String(cause), { cause });
    });
  }

  /** Throws MalformedPacketError. */
  push(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#partBytes > 0) {
      this.#parts.push(chunk);
      this.#partBytes += chunk.length;
      if (this.#partBytes < this.#neededBytes) return;
      bytes = Buffer.concat(this.#parts, this.#partBytes);
      this.#parts = [];
      this.#partBytes = 0;
    }
    const rest = this.#readAll(bytes);
    if (rest < bytes.length) {
      this.#parts.push(rest === 0 ? bytes : bytes.subarray(rest));
      this.#partBytes = bytes.length - rest;
    }
  }

  /** Answers where the first packet starts that is not complete. */
  #readAll(bytes: Buffer): number {
    let start = 0;
    while (start + 2 <= bytes.length) {
      let remaining = 0;
      let shift = 0;
      let at = start + 1;
      let byte: number;
      do {
        if (shift > 21) throw new MalformedPacketError("a remaining length of more than four bytes");
        if (at === bytes.length) {
          this.#neededBytes = at - start + 1;
          return start;
        }
        byte = bytes[at++]!;
        remaining |= (byte & 0x7f) << shift;
        shift += 7;
      } while (byte >= 0x80);
      const end = at + remaining;
      if (end > bytes.length) {
        this.#neededBytes = end - start;
        return start;
      }
      this.#readOne(bytes, start, at, end);
      start = end;
    }
    this.#neededBytes = 2;
    return start;
  }

  #readOne(bytes: Buffer, start: number, body: number, end: number): void {
    const first = bytes[start]!;
    if (first >>> 4 === PUBLISH && this.#readPublish(bytes, first, body, end)) return;
    if (first === PUBACK) {
      if (body + 2 > end) throw new MalformedPacketError("a PUBACK that ends too early");
      // What may follow the reason code, a text for people, is not read.
      this.#receiver.puback((bytes[body]! << 8) | bytes[body + 1]!, body + 2 < end ? bytes[body + 2]! : 0);
      return;
    }
    this.#parser.parse(bytes.subarray(start, end));
  }

  /** Answers false for a PUBLISH with properties, which is left to mqtt-packet. */
  #readPublish(bytes: Buffer, first: number, body: number, end: number): boolean {
    const qos = (first >>> 1) & 3;
    if (qos > 1) throw new MalformedPacketError(`a PUBLISH of QoS ${qos}, which nobody subscribed`);
    const topicEnd = body + 2 + ((bytes[body]! << 8) | bytes[body + 1]!);
    const propertiesAt = topicEnd + 2 * qos;
    if (body + 2 > end || propertiesAt >= end) throw new MalformedPacketError("a PUBLISH that ends too early");
    const id = qos === 1 ? (bytes[topicEnd]! << 8) | bytes[topicEnd + 1]! : 0;
    if (qos === 1 && id === 0) throw new MalformedPacketError("a PUBLISH with the packet id 0");
    if (bytes[propertiesAt] !== 0) return false;
    const packet: ReceivedPacket = {
      topic: bytes.toString("utf8", body + 2, topicEnd),
      payload: bytes.subarray(propertiesAt + 1, end),
      qos: qos as 0 | 1,
      dup: (first & 8) !== 0,
      retain: (first & 1) !== 0,
      properties: NO_PROPERTIES,
    };
    this.#receiver.publish(packet, id);
    return true;
  }

  #dispatch(packet: mqttPacket.Packet): void {
    if (packet.cmd !== "publish") {
      this.#receiver.other(packet);
      return;
    }
    const { topic, dup, retain, messageId } = packet;
    const qos = packet.qos as 0 | 1;
    const payload = packet.payload as Buffer;
    const properties = (packet.properties as ReceivedProperties | undefined) ?? NO_PROPERTIES;
    this.#receiver.publish({ topic, payload, qos, dup, retain, properties }, messageId ?? 0);
  }
}
