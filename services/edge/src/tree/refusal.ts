// A publish of a device with a tree that is refused here: its router is told, by a publish of the edge's own in its place.
import { type AppError, type TreeRefusal, treeRefusalTopic } from "@parley/protocol";
import { type Version, writePacket } from "../packets/packets.ts";
import type { RefusedPublish } from "../uplink/refusals.ts";
import type { PacketIds } from "./packet-ids.ts";

const beginningBytes = 1024;

/** undefined: the broker owes too many answers. */
export function writeRefusal(
  { topic, payload }: RefusedPublish,
  error: AppError,
  { mountpoint, packetIds, version }: { mountpoint: string; packetIds: PacketIds; version: Version },
): Buffer | undefined {
  const messageId = packetIds.take();
  if (messageId === undefined) return undefined;
  const beginning = payload.subarray(0, beginningBytes).toString("base64");
  const told: TreeRefusal = { topic, beginning, error: error.toWire() };
  const exchange = { qos: 1 as const, messageId, dup: false, retain: false };
  const packet = { cmd: "publish" as const, topic: treeRefusalTopic(mountpoint), payload: JSON.stringify(told) };
  return writePacket({ ...packet, ...exchange }, version);
}
