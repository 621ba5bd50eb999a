// The broker's packets on their way to a device with a tree: the topics of PUBLISHes without the mountpoint, the edge's own
// exchanges left out. Packets become shorter where they stand, so that a run of them leaves in one write, without a copy.
import { parseDownlinkTopic } from "@parley/protocol";
import type { Framing } from "../packets/framing.ts";
import { confirmation, types } from "../packets/packets.ts";
import { putVarint, varintBytes } from "../packets/properties.ts";
import { isEphemeral } from "../uplink/client-state.ts";
import { replaceLarge } from "../uplink/too-large.ts";
import { takeAnswer } from "./answers.ts";
import type { TreeDevice } from "./tree-device.ts";

interface Place {
  bytes: Buffer;
  start: number;
  body: number;
  end: number;
}

/** Sends on every whole packet of `frame`. Answers what it saw: a DISCONNECT, or bytes that are no packets. */
export function passTreeDownlink(frame: Framing, tree: TreeDevice): { parted: boolean; broken: boolean } {
  let from = frame.end;
  let to = from;
  let parted = false;
  for (;;) {
    const found = frame.next();
    const { bytes } = frame;
    if (found !== "packet") {
      if (to > from) tree.ways.toDevice(bytes.subarray(from, to));
      return { parted, broken: found !== "more" };
    }
    if (bytes[frame.start]! >> 4 === types.disconnect) parted = true;
    const kept = pass(frame, tree);
    if (Buffer.isBuffer(kept)) {
      if (to > from) tree.ways.toDevice(bytes.subarray(from, to));
      tree.ways.toDevice(kept);
      from = to = frame.end;
    } else if (kept !== undefined) {
      if (kept.start > to) bytes.copyWithin(to, kept.start, kept.end);
      to += kept.end - kept.start;
    }
  }
}

/** Where the packet stands now, or what goes out in its place; undefined: nothing does. */
function pass(frame: Framing, tree: TreeDevice): Place | Buffer | undefined {
  const type = frame.bytes[frame.start]! >> 4;
  if (type === types.publish) return passPublish(frame, tree);
  if (type === types.pubrel && endsLeftOut(frame, tree)) return undefined;
  return takeAnswer(frame, type, tree) ? undefined : frame;
}

function passPublish(frame: Framing, tree: TreeDevice): Place | Buffer | undefined {
  const { device } = tree;
  const { bytes, start, body } = frame;
  const qos = (bytes[start]! >> 1) & 3;
  const topicEnd = body + 2 + bytes.readUInt16BE(body);
  const packetId = qos === 0 ? 0 : bytes.readUInt16BE(topicEnd);
  if (!isMounted(bytes, body + 2, topicEnd, tree.mountpoint)) return leaveOut(qos, packetId, tree);
  const packet = unmount(frame, tree.mountpoint.length);
  if (packet.end - packet.start > device.maxPacketBytes) return passLarge(packet, qos, packetId, tree);
  if (device.isInactive && isEphemeral(packet)) return undefined;
  device.owed.sent(packet);
  return packet;
}

/** Of a session that was another's, or had no tree, before: the broker is answered in the device's place. */
function leaveOut(qos: number, packetId: number, { ways, leftOut }: TreeDevice): undefined {
  if (qos === 2) leftOut.add(packetId);
  if (qos > 0) ways.toBroker(confirmation(qos === 1 ? "puback" : "pubrec", packetId));
}

/** Is this PUBREL the second half of such an exchange? */
function endsLeftOut({ bytes, body }: Framing, { ways, leftOut }: TreeDevice): boolean {
  const packetId = bytes.readUInt16BE(body);
  const isOurs = leftOut.delete(packetId);
  if (isOurs) ways.toBroker(confirmation("pubcomp", packetId));
  return isOurs;
}

/** Native packets say what is missing; to other protocols that would be no packet. */
function passLarge(large: Place, qos: number, packetId: number, tree: TreeDevice): Buffer | undefined {
  const { bytes, start, body, end } = large;
  const topic = bytes.toString("utf8", body + 2, body + 2 + bytes.readUInt16BE(body));
  if (parseDownlinkTopic(topic) === undefined) return leaveOut(qos, packetId, tree);
  const { forDevice, forBroker } = replaceLarge(bytes.subarray(start, end), body - start, tree.device.maxPacketBytes);
  if (forBroker !== undefined) tree.ways.toBroker(forBroker);
  return forDevice;
}

function isMounted(bytes: Buffer, topicAt: number, topicEnd: number, mountpoint: Buffer): boolean {
  const innerAt = topicAt + mountpoint.length;
  return innerAt < topicEnd && mountpoint.compare(bytes, topicAt, innerAt) === 0;
}

/** Writes a new beginning over the mountpoint, which is longer. */
function unmount({ bytes, start, body, end }: Place, mountpointBytes: number): Place {
  const first = bytes[start]!;
  const topicBytes = bytes.readUInt16BE(body) - mountpointBytes;
  const newBody = body + mountpointBytes;
  const newStart = newBody - varintBytes(end - newBody) - 1;
  bytes[newStart] = first;
  putVarint(bytes, newStart + 1, end - newBody);
  bytes.writeUInt16BE(topicBytes, newBody);
  return { bytes, start: newStart, body: newBody, end };
}
