// Decides PUBLISH: allowed it passes as it came; refused the broker never sees it, and its device is told.
import { AppError } from "@parley/protocol";
import type { Decisions, PublishVerdict } from "../hooks/decisions.ts";
import type { Framing, Skipped } from "../packets/framing.ts";
import { asItCame, type Outcome } from "../packets/outcome.ts";
import { readPacket, type Version } from "../packets/packets.ts";
import { checkProperties, isText, withoutAlias, writeVarint } from "../packets/properties.ts";
import { type Reason, reasons } from "../packets/reasons.ts";
import { isTopicName } from "../packets/topic.ts";
import { topicByAlias } from "../packets/topic-aliases.ts";
import { isStateTopic, noteState } from "./client-state.ts";
import type { UplinkDevice } from "./device.ts";
import { notYours } from "./refusals.ts";

export function decidePublish(frame: Framing, device: UplinkDevice, decisions: Decisions): Outcome | Promise<Outcome> {
  const topic = isPlain(frame, device.version) ? topicIn(frame) : undefined;
  const known = topic === undefined ? undefined : decisions.knownPublish(device, topic);
  if (topic !== undefined && known?.allowed && known.topic === undefined) {
    if (isStateTopic(topic)) noteState(payloadOf(frame, device.version), device);
    return asItCame;
  }
  return decideOther(frame, device, decisions, known);
}

/** Nearly every PUBLISH is: nothing in it can be wrong but its topic, and it is read without a copy. */
export function isPlain({ bytes, start, body, end }: Framing, version: Version): boolean {
  const first = bytes[start]!;
  const qos = (first >> 1) & 3;
  if (first & retainFlag || qos === 3 || (qos === 0 && first & dupFlag) || body + 2 > end) return false;
  const topicBytes = bytes.readUInt16BE(body);
  const propertiesAt = body + 2 + topicBytes + (qos > 0 ? 2 : 0);
  if (topicBytes === 0 || propertiesAt > end) return false;
  if (qos > 0 && bytes.readUInt16BE(propertiesAt - 2) === 0) return false;
  return version === 4 || (propertiesAt < end && bytes[propertiesAt] === 0);
}

/** Of a plain one. */
function payloadOf({ bytes, start, body, end }: Framing, version: Version): Buffer {
  const qos = (bytes[start]! >> 1) & 3;
  return bytes.subarray(body + 2 + bytes.readUInt16BE(body) + (qos > 0 ? 2 : 0) + (version === 5 ? 1 : 0), end);
}

function topicIn({ bytes, body }: Framing): string {
  return bytes.toString("latin1", body + 2, body + 2 + bytes.readUInt16BE(body));
}

function decideOther(
  { bytes, start, body, end }: Framing,
  device: UplinkDevice,
  decisions: Decisions,
  plain: PublishVerdict | undefined,
): Outcome | Promise<Outcome> {
  const packet = bytes.subarray(start, end);
  const header = readHeader(packet, body - start, device);
  if ("code" in header) return { close: header };
  if (header.fault !== undefined) return refuseFault(packet, header, header.fault, device);
  if (packet[0]! & retainFlag) {
    if (device.version === 5) return refuse(packet, header, reasons.retainRefused, notRetained(), device);
    packet[0] = packet[0]! & ~retainFlag;
  }
  const { topic } = header;
  // What is no topic is nobody's: it is not refused as another's would be.
  if (!isText(Buffer.from(topic, "latin1"))) return refuseFault(packet, header, reasons.malformed, device);
  if (!isTopicName(topic)) return refuseFault(packet, header, reasons.topicInvalid, device);
  const known = plain ?? decisions.knownPublish(device, topic);
  return known === undefined ? ask(packet, header, device, decisions) : conclude(known, packet, header, device);
}

export const retainFlag = 1;
const dupFlag = 8;

/** Positions count from the packet's first byte. */
export interface PublishHeader {
  qos: number;
  packetId: number;
  /** with one character a byte (latin1): kept verdicts are found by it, which is cheaper than UTF-8 and as exact */
  topic: string;
  topicEnd: number;
  /** of MQTT 5's properties; in MQTT 3.1.1 where the payload begins */
  propertiesAt: number;
  payloadAt: number;
  /** where the Topic Alias stands among the properties, if there is one */
  aliasAt: number | undefined;
  /** something is wrong, but the packet id is known */
  fault: Reason | undefined;
}

/** What stands before the payload [MQTT-3.3.2]; a reason when not even the packet id can be read. */
export function readHeader(packet: Buffer, body: number, device: UplinkDevice): PublishHeader | Reason {
  const first = packet[0]!;
  const qos = (first >> 1) & 3;
  if (qos === 3 || (qos === 0 && first & dupFlag) || body + 2 > packet.length) return reasons.malformed;
  const topicEnd = body + 2 + packet.readUInt16BE(body);
  const propertiesAt = topicEnd + (qos > 0 ? 2 : 0);
  if (propertiesAt > packet.length) return reasons.malformed;
  const packetId = qos > 0 ? packet.readUInt16BE(topicEnd) : 0;
  if (qos > 0 && packetId === 0) return reasons.protocolError;
  const topic = packet.toString("latin1", body + 2, topicEnd);
  const header = { qos, packetId, topic, topicEnd, propertiesAt, payloadAt: propertiesAt };
  if (device.version === 4) return { ...header, aliasAt: undefined, fault: undefined };
  if (packet[propertiesAt] === 0 && topic !== "")
    return { ...header, payloadAt: propertiesAt + 1, aliasAt: undefined, fault: undefined };
  return readProperties(packet, header, device);
}

function readProperties(
  packet: Buffer,
  header: Omit<PublishHeader, "aliasAt" | "fault">,
  { aliases }: UplinkDevice,
): PublishHeader {
  const found = checkProperties(packet, header.propertiesAt, packet.length, "publish");
  if ("code" in found) return { ...header, payloadAt: packet.length, aliasAt: undefined, fault: found };
  const { next: payloadAt, aliasAt } = found;
  if (aliasAt === undefined)
    return { ...header, payloadAt, aliasAt, fault: header.topic === "" ? reasons.protocolError : undefined };
  const topic = topicByAlias(aliases, packet.readUInt16BE(aliasAt + 1), header.topic);
  if (typeof topic !== "string") return { ...header, payloadAt, aliasAt, fault: topic };
  return { ...header, topic, payloadAt, aliasAt, fault: undefined };
}

async function ask(
  packet: Buffer,
  header: PublishHeader,
  device: UplinkDevice,
  decisions: Decisions,
): Promise<Outcome> {
  const publish = readPacket(packet, "publish", device.version);
  if (publish === undefined) return refuseFault(packet, header, reasons.malformed, device);
  const topic = nameOf(header);
  const publication = { ...publish, topic, payload: Buffer.from(publish.payload) };
  const verdict = await decisions.askPublish(device, publication, device);
  // Its device sends it again on its next connection.
  if (verdict === undefined) return { close: reasons.unavailable };
  return conclude(verdict, packet, header, device);
}

function conclude(verdict: PublishVerdict, packet: Buffer, header: PublishHeader, device: UplinkDevice): Outcome {
  if (verdict.allowed) {
    if (isStateTopic(header.topic)) noteState(packet.subarray(header.payloadAt), device);
    if (verdict.topic === undefined && header.aliasAt === undefined) return asItCame;
    const topic = verdict.topic === undefined ? Buffer.from(header.topic, "latin1") : Buffer.from(verdict.topic);
    return { forward: readdress(packet, header, topic, device.version) };
  }
  const isRate = verdict.reason === reasons.quota;
  const error = isRate ? new AppError("rate_limited") : notYours(device, nameOf(header));
  return refuse(packet, header, verdict.reason, error, device);
}

function nameOf({ topic }: PublishHeader): string {
  return Buffer.from(topic, "latin1").toString();
}

/** A PUBLISH of which only the beginning was kept: its bytes were passed over. */
export function refuseLarge({ head, body, bytes }: Skipped, device: UplinkDevice, maxBytes: number): Outcome {
  const header = readHeader(head, body, device);
  if ("code" in header) return { close: header };
  const { qos, packetId, payloadAt } = header;
  const publish = { qos, packetId, topic: nameOf(header), payload: head.subarray(payloadAt), isWhole: false };
  const error = new AppError("too_large", `a packet may have ${maxBytes} bytes`, { details: { bytes, maxBytes } });
  return { reply: device.refusals.refuse(publish, reasons.tooLarge, error) };
}

export function refuse(
  packet: Buffer,
  header: PublishHeader,
  reason: Reason,
  error: AppError,
  device: UplinkDevice,
): Outcome {
  const { qos, packetId, payloadAt } = header;
  const publish = { qos, packetId, topic: nameOf(header), payload: packet.subarray(payloadAt), isWhole: true };
  return { reply: device.refusals.refuse(publish, reason, error) };
}

/** MQTT wants these connections closed. First the packet is answered, or a client would send it on every connection again. */
export function refuseFault(packet: Buffer, header: PublishHeader, reason: Reason, device: UplinkDevice): Outcome {
  if (header.qos === 0) return { close: reason };
  const error = new AppError("invalid_packet", reason.words);
  return { ...refuse(packet, header, reason, error, device), close: reason };
}

function notRetained(): AppError {
  return new AppError("forbidden", reasons.retainRefused.words);
}

/** The packet with another topic, and without a Topic Alias. */
function readdress(packet: Buffer, header: PublishHeader, topic: Buffer, version: Version): Buffer {
  const { topicEnd, propertiesAt, payloadAt, aliasAt } = header;
  const length = Buffer.from([topic.length >> 8, topic.length & 0xff]);
  const properties = version === 5 ? withoutAlias(packet, propertiesAt, aliasAt, payloadAt) : [];
  const body = [length, topic, packet.subarray(topicEnd, propertiesAt), ...properties, packet.subarray(payloadAt)];
  const size = body.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([packet.subarray(0, 1), writeVarint(size), ...body]);
}
