// A PUBLISH of a device with a tree: it goes into the tree, for its router alone, whatever its topic is.
import { AppError, treeLevels, treeWillPrefix } from "@parley/protocol";
import type { Framing } from "../packets/framing.ts";
import { dropped, type Outcome } from "../packets/outcome.ts";
import type { Will } from "../packets/packets.ts";
import { isPlainText, isText, putVarint, varintBytes, withoutAlias } from "../packets/properties.ts";
import { reasons } from "../packets/reasons.ts";
import { isTopicName, levelsMax } from "../packets/topic.ts";
import { isStateTopic, noteState } from "../uplink/client-state.ts";
import { isPlain, type PublishHeader, readHeader, refuse, refuseFault, retainFlag } from "../uplink/publish.ts";
import type { MountedTopic, TreeDevice } from "./tree-device.ts";

const topicBytesMax = 65_535;
const qosBits = 6;

export function decideTreePublish(frame: Framing, tree: TreeDevice): Outcome {
  const { lastTopic } = tree;
  if (lastTopic !== undefined && isPlain(frame, tree.device.version) && hasTopic(frame, lastTopic))
    return passAgain(frame, lastTopic, tree);
  return decideAnew(frame, tree);
}

function hasTopic({ bytes, body }: Framing, { mounted, topicAt }: MountedTopic): boolean {
  const from = body + 2;
  return mounted.compare(bytes, from, from + bytes.readUInt16BE(body), topicAt) === 0;
}

/** On the topic of the packet before, nothing unusual about it: there is nothing left to be looked at. */
function passAgain({ bytes, start, body, end }: Framing, { mounted }: MountedTopic, tree: TreeDevice): Outcome {
  const first = bytes[start]!;
  const topicEnd = body + 2 + bytes.readUInt16BE(body);
  if (first & qosBits) {
    tree.packetIds.used(bytes.readUInt16BE(topicEnd));
    return { forward: written(first, [mounted, bytes.subarray(topicEnd, end)]) };
  }
  const packetId = tree.packetIds.take();
  if (packetId === undefined) return dropped;
  return { forward: written(first | 2, [mounted, uint16(packetId), bytes.subarray(topicEnd, end)]) };
}

function decideAnew(frame: Framing, tree: TreeDevice): Outcome {
  const { device } = tree;
  const packet = frame.packet();
  const header = readHeader(packet, frame.body - frame.start, device);
  if ("code" in header) return { close: header };
  if (header.fault !== undefined) return refuseFault(packet, header, header.fault, device);
  const topic = Buffer.from(header.topic, "latin1");
  if (!isText(topic)) return refuseFault(packet, header, reasons.malformed, device);
  if (!isTopicName(header.topic)) return refuseFault(packet, header, reasons.topicInvalid, device);
  if (!isPlainText(topic)) return refuse(packet, header, reasons.topicInvalid, notPlain(), device);
  if (!fits(header.topic, tree.uplinkPrefix.length))
    return refuse(packet, header, reasons.topicTooLong, tooLong(), device);
  const { mounted, topicAt } = mountTopic(topic, tree.uplinkPrefix);
  if (isStateTopic(header.topic)) noteState(packet.subarray(header.payloadAt), device);
  else tree.lastTopic = { mounted, topicAt };
  if (header.qos > 0) {
    tree.packetIds.used(header.packetId);
    return { forward: mount(packet, header, mounted) };
  }
  // QoS 1, so that no packet is lost on its way to the router.
  const packetId = tree.packetIds.take();
  return packetId === undefined ? dropped : { forward: mount(packet, header, mounted, packetId) };
}

// Of memory of its own: a piece of a pool would keep all of the pool.
function mountTopic(topic: Buffer, prefix: Buffer): MountedTopic {
  const topicAt = 2 + prefix.length;
  const mounted = Buffer.allocUnsafeSlow(topicAt + topic.length);
  mounted.writeUInt16BE(prefix.length + topic.length);
  mounted.set(prefix, 2);
  mounted.set(topic, topicAt);
  return { mounted, topicAt };
}

function tooLong(): AppError {
  return new AppError("invalid_packet", reasons.topicTooLong.words);
}

function notPlain(): AppError {
  return new AppError("invalid_packet", "a topic has no control characters");
}

/** `topic` has one character a byte. A broker that is asked for more closes the connection. */
function fits(topic: string, prefixBytes: number): boolean {
  const room = levelsMax - treeLevels;
  return topic.length + prefixBytes <= topicBytesMax && (topic.length < room || topic.split("/").length <= room);
}

/** `packetId`: of the edge, for what came at QoS 0. */
function mount(packet: Buffer, header: PublishHeader, mounted: Buffer, packetId?: number): Buffer {
  const { topicEnd, propertiesAt, payloadAt, aliasAt } = header;
  const id = packetId === undefined ? packet.subarray(topicEnd, propertiesAt) : uint16(packetId);
  const properties = withoutAlias(packet, propertiesAt, aliasAt, payloadAt);
  const first = (packet[0]! & ~retainFlag) | (packetId === undefined ? 0 : 2);
  return written(first, [mounted, id, ...properties, packet.subarray(payloadAt)]);
}

/** A packet of these parts behind its first byte and its length. */
function written(first: number, parts: readonly Buffer[]): Buffer {
  let size = 0;
  for (const part of parts) size += part.length;
  const packet = Buffer.allocUnsafe(1 + varintBytes(size) + size);
  packet[0] = first;
  let at = putVarint(packet, 1, size);
  for (const part of parts) {
    packet.set(part, at);
    at += part.length;
  }
  return packet;
}

function uint16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}

/** The Will as the broker gets it; undefined: its topic is no text that it takes, or too long for a tree. */
export function mountWill(will: Will, mountpoint: string): Will | undefined {
  const prefix = treeWillPrefix(mountpoint);
  if (!isPlainText(Buffer.from(will.topic))) return undefined;
  if (!fits(Buffer.from(will.topic).toString("latin1"), Buffer.byteLength(prefix))) return undefined;
  return { ...will, topic: prefix + will.topic, qos: will.qos === 2 ? 2 : 1, retain: false };
}
