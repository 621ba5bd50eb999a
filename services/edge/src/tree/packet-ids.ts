// Packet ids of the edge's own packets on a device's connection: the broker's answers to them are not for the device.

export interface PacketIds {
  /** The device publishes with this one, until the broker has answered. */
  used(packetId: number): void;
  free(packetId: number): void;
  /** A free one for a PUBLISH of the edge at QoS 1; undefined: the broker owes too many answers. */
  take(): number | undefined;
  /** PUBACK has come: true when it is to one of the edge's. */
  answered(packetId: number): boolean;
}

/** PUBLISHes of the edge that the broker has not answered. Of more, which the device sent at QoS 0, the next are lost. */
const ownMax = 1000;
const highest = 65_535;

/** `brokerMax`: PUBLISHes that the broker takes at once, the device's among them (Receive Maximum). */
export function openPacketIds(brokerMax = highest): PacketIds {
  const own = new Set<number>();
  const ofDevice = new Set<number>();
  let next = highest;

  return {
    used: (packetId) => void ofDevice.add(packetId),
    free: (packetId) => void ofDevice.delete(packetId),
    take() {
      if (own.size >= ownMax || own.size + ofDevice.size >= brokerMax) return undefined;
      // Clients count upwards.
      for (let tried = 0; tried < highest; tried++) {
        const packetId = next;
        next = next === 1 ? highest : next - 1;
        if (own.has(packetId) || ofDevice.has(packetId)) continue;
        own.add(packetId);
        return packetId;
      }
      return undefined;
    },
    answered(packetId) {
      // Should the device use the same one afterwards, the broker answers ours first [MQTT-4.6.0-2].
      if (own.delete(packetId)) return true;
      ofDevice.delete(packetId);
      return false;
    },
  };
}
