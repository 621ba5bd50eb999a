// Packet ids of the edge's own packets on a device's connection: the broker's answers to them are not for the device.
import { SparseSet } from "../packets/sparse.ts";

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
  return new ConnectionPacketIds(brokerMax);
}

/** Of a class, as there is one of each connection. */
class ConnectionPacketIds implements PacketIds {
  readonly #brokerMax: number;
  readonly #own = new SparseSet<number>();
  readonly #ofDevice = new SparseSet<number>();
  #next = highest;

  constructor(brokerMax: number) {
    this.#brokerMax = brokerMax;
  }

  used(packetId: number): void {
    this.#ofDevice.add(packetId);
  }

  free(packetId: number): void {
    this.#ofDevice.delete(packetId);
  }

  take(): number | undefined {
    const own = this.#own;
    if (own.size >= ownMax || own.size + this.#ofDevice.size >= this.#brokerMax) return undefined;
    // Clients count upwards.
    for (let tried = 0; tried < highest; tried++) {
      const packetId = this.#next;
      this.#next = packetId === 1 ? highest : packetId - 1;
      if (own.has(packetId) || this.#ofDevice.has(packetId)) continue;
      own.add(packetId);
      return packetId;
    }
    return undefined;
  }

  answered(packetId: number): boolean {
    // Should the device use the same one afterwards, the broker answers ours first [MQTT-4.6.0-2].
    if (this.#own.delete(packetId)) return true;
    this.#ofDevice.delete(packetId);
    return false;
  }
}
