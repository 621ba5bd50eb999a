// The broker's answers for a device with a tree: those to the edge's own packets are left out, SUBACK and UNSUBACK wait until the
// hooks know what they say.
import type { Framing } from "../packets/framing.ts";
import { readPacket, types, writePacket } from "../packets/packets.ts";
import { reasons } from "../packets/reasons.ts";
import { writeAnswer } from "../uplink/subscribe.ts";
import { allFilter, concludeAsked } from "./conclude.ts";
import { mountFilter } from "./mount-filter.ts";
import type { Asked, TreeDevice } from "./tree-device.ts";

/** Where all of a tree is subscribed by the edge, the device's own SUBSCRIBEs do not reach the broker. */
const allPacketId = 1;

/**
 * SUBSCRIBE of all of the tree. What the device had subscribed in its session before ends: Mosquitto sends an MQTT 5 client each
 * message once for every subscription.
 */
export function subscribeAll({ mountpoint, device, filters }: TreeDevice): Buffer {
  const topic = mountpoint.toString() + allFilter;
  const options = device.version === 5 ? { nl: false, rap: false, rh: 2 as const } : {};
  const subscriptions = [{ topic, qos: 1 as const, ...options }];
  const subscribe = writePacket({ cmd: "subscribe", messageId: allPacketId, subscriptions }, device.version);
  const before = [...filters.all()].filter((filter) => filter !== allFilter);
  const unsubscriptions = before.flatMap((filter) => mountFilter(filter, mountpoint)?.filter.toString() ?? []);
  if (unsubscriptions.length === 0) return subscribe;
  const unsubscribe = { cmd: "unsubscribe" as const, messageId: allPacketId, unsubscriptions };
  return Buffer.concat([subscribe, writePacket(unsubscribe, device.version)]);
}

/** Answers whether the packet is not for the device, at least not now. */
export function takeAnswer(frame: Framing, type: number, tree: TreeDevice): boolean {
  if (type === types.puback) return tree.packetIds.answered(frame.bytes.readUInt16BE(frame.body));
  if (type === types.pubcomp || type === types.pubrec) notePublish(frame, type, tree);
  if (type !== types.suback && type !== types.unsuback) return false;
  const isSubscribe = type === types.suback;
  if (tree.subscribesAll) {
    if (isSubscribe) noteAll(codesOf(frame, "suback", tree), tree);
    return true;
  }
  const packetId = frame.bytes.readUInt16BE(frame.body);
  const asked = tree.asked.find(
    (one) => one.packetId === packetId && one.isSubscribe === isSubscribe && !one.isAnswered,
  );
  if (asked === undefined) return false;
  pass(asked, frame, tree).catch(() => tree.ways.close(reasons.unavailable));
  return true;
}

function noteAll([code = 128]: number[], { ways }: TreeDevice): void {
  if (code >= 128) ways.close(reasons.unavailable);
  else void ways.tell({ added: [{ topic: allFilter, qos: code }], removed: [] });
}

/** A QoS 2 exchange has ended: its packet id is free again. */
function notePublish({ bytes, body, end }: Framing, type: number, { packetIds }: TreeDevice): void {
  const isRefused = end - body > 2 && bytes[body + 2]! >= 0x80;
  if (type === types.pubcomp || isRefused) packetIds.free(bytes.readUInt16BE(body));
}

async function pass(asked: Asked, frame: Framing, tree: TreeDevice): Promise<void> {
  const cmd = asked.isSubscribe ? "suback" : "unsuback";
  const granted = codesOf(frame, cmd, tree);
  const isWhole = asked.codes.every((code) => code === undefined);
  let next = 0;
  // UNSUBACK of MQTT 3.1.1 has no codes: it says yes.
  const codes = asked.codes.map((code) => code ?? granted[next++] ?? (asked.isSubscribe ? 128 : 0));
  const answer = isWhole
    ? Buffer.from(frame.packet())
    : writeAnswer(cmd, asked.packetId, codes, asked.words, tree.device);
  if (await concludeAsked(asked, codes, tree)) tree.ways.toDevice(answer);
  else tree.ways.close(reasons.unavailable);
}

function codesOf(frame: Framing, cmd: "suback" | "unsuback", { device }: TreeDevice): number[] {
  const answer = readPacket(frame.packet(), cmd, device.version);
  return (answer?.granted as number[] | undefined) ?? [];
}
