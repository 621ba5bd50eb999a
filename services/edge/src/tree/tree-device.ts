// What the edge keeps of a connected device that has a tree of its own.
import { treeUplinkPrefix } from "@parley/protocol";
import type { IConnackPacket } from "mqtt-packet";
import type { Reason } from "../packets/reasons.ts";
import { SparseSet } from "../packets/sparse.ts";
import type { UplinkDevice } from "../uplink/device.ts";
import type { TreeGrant } from "./grant.ts";
import { type OwnFilters, openOwnFilters } from "./own-filters.ts";
import { openPacketIds, type PacketIds } from "./packet-ids.ts";
import { writeRefusal } from "./refusal.ts";

/** What was subscribed and unsubscribed, as the device wrote it. */
export interface FiltersChange {
  added: readonly { topic: string; qos: number }[];
  removed: readonly string[];
}

export interface TreeWays {
  toDevice(bytes: Buffer): void;
  toBroker(bytes: Buffer): void;
  close(reason: Reason): void;
  /** Resolves true when a hook has taken it; false when none did for long. */
  tell(change: FiltersChange): Promise<boolean>;
}

/** A SUBSCRIBE or UNSUBSCRIBE that the broker or a hook has not answered. */
export interface Asked {
  isSubscribe: boolean;
  packetId: number;
  /** as the device wrote them */
  filters: string[];
  /** which of them the device did not have */
  fresh: Set<string>;
  /** of each: the edge's own code; undefined where the broker's belongs */
  codes: (number | undefined)[];
  /** why some are refused; empty when nobody wants to know */
  words: string;
  /** The broker has answered it. */
  isAnswered: boolean;
}

/** A topic that the device may publish on. */
export interface MountedTopic {
  /** as the broker gets it, its length before it */
  mounted: Buffer;
  /** where in it the device's topic begins */
  topicAt: number;
}

export interface TreeDevice {
  device: UplinkDevice;
  ways: TreeWays;
  /** before its filters, and before the topics of what it gets */
  mountpoint: Buffer;
  /** before the topics of what it publishes */
  uplinkPrefix: Buffer;
  /** of the packet that it published last: most devices stay on one for a while */
  lastTopic: MountedTopic | undefined;
  packetIds: PacketIds;
  filters: OwnFilters;
  asked: Asked[];
  subscribesAll: boolean;
  /** QoS 2 exchanges that the edge has begun to answer in the device's place, by packet id */
  leftOut: SparseSet<number>;
}

/** `connack`: the broker's. */
export function openTreeDevice(
  { mountpoint, subscribesAll, filters }: TreeGrant,
  { sessionPresent, properties }: IConnackPacket,
  device: UplinkDevice,
  ways: TreeWays,
): TreeDevice {
  const packetIds = openPacketIds(properties?.receiveMaximum);
  device.tellRouter = (publish, error) => {
    const packet = writeRefusal(publish, error, { mountpoint, packetIds, version: device.version });
    if (packet) ways.toBroker(packet);
  };
  return {
    device,
    ways,
    ...bytesOf(mountpoint, treeUplinkPrefix(mountpoint)),
    lastTopic: undefined,
    packetIds,
    filters: openOwnFilters(sessionPresent ? filters : []),
    asked: [],
    subscribesAll,
    leftOut: new SparseSet(),
  };
}

/** In one piece of memory of their own: as parts of a pool each would keep all of the pool. */
function bytesOf(mountpoint: string, uplinkPrefix: string): Pick<TreeDevice, "mountpoint" | "uplinkPrefix"> {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(mountpoint) + Buffer.byteLength(uplinkPrefix));
  const end = bytes.write(mountpoint);
  bytes.write(uplinkPrefix, end);
  return { mountpoint: bytes.subarray(0, end), uplinkPrefix: bytes.subarray(end) };
}
