// Decides one packet of a connected device with a tree: what it publishes and subscribes goes there, all else is as without.
import type { Decisions } from "../hooks/decisions.ts";
import type { Framing } from "../packets/framing.ts";
import type { Outcome } from "../packets/outcome.ts";
import { types } from "../packets/packets.ts";
import { decideUplink } from "../uplink/uplink.ts";
import { decideTreeFilters } from "./filters.ts";
import { decideTreePublish } from "./publish.ts";
import type { TreeDevice } from "./tree-device.ts";

export function decideTreeUplink(frame: Framing, tree: TreeDevice, decisions: Decisions): Outcome | Promise<Outcome> {
  const first = frame.bytes[frame.start]!;
  if (first >> 4 === types.publish) return decideTreePublish(frame, tree);
  const isFilters = first === ((types.subscribe << 4) | 2) || first === ((types.unsubscribe << 4) | 2);
  return isFilters ? decideTreeFilters(frame, tree) : decideUplink(frame, tree.device, decisions);
}
