// A packet of a device with a tree that is larger than the edge keeps.
import { openFilterReader } from "../packets/filter-reader.ts";
import { types } from "../packets/packets.ts";
import { isText } from "../packets/properties.ts";
import { reasons } from "../packets/reasons.ts";
import { type LargePacket, openLarge } from "../uplink/large.ts";
import { filtersMax } from "../uplink/subscribe.ts";
import { ask, openReading, unsubscribe } from "./filters.ts";
import type { TreeDevice } from "./tree-device.ts";

/** By its first byte. undefined: no client has a reason to send such a packet. */
export function openTreeLarge(first: number, tree: TreeDevice, maxBytes: number): LargePacket | undefined {
  if (first === ((types.unsubscribe << 4) | 2) && tree.device.version === 4) return unsubscribeLarge(tree);
  return openLarge(first, tree.device, { maxBytes, toBroker: (packet) => tree.ways.toBroker(packet) });
}

/** UNSUBACK of MQTT 3.1.1 can only say yes, so it has to be true: of its filters those end that the device may have. */
function unsubscribeLarge(tree: TreeDevice): LargePacket {
  const found = new Set<string>();
  const reader = openFilterReader({
    isSubscribe: false,
    version: 4,
    onFilter(bytes) {
      if (found.size >= filtersMax || !isText(bytes)) return;
      const filter = bytes.toString();
      if (tree.filters.mayHave(filter)) found.add(filter);
    },
  });
  return {
    take: reader.take,
    answer() {
      if (reader.end() === undefined) return { close: reasons.malformed };
      const packetId = reader.packetId();
      if (packetId === 0) return { close: reasons.protocolError };
      const reading = openReading(false, packetId);
      for (const filter of found) unsubscribe(filter, reading, tree);
      return ask(reading, Buffer.of(packetId >> 8, packetId & 0xff), tree);
    },
  };
}
