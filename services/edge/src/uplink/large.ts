// A packet larger than the edge keeps: it is passed over and answered at its end. A client sends it on every connection
// again until it is answered, so closing would lock it out.
import { openFilterReader } from "../packets/filter-reader.ts";
import type { Skipped } from "../packets/framing.ts";
import type { Outcome } from "../packets/outcome.ts";
import { types } from "../packets/packets.ts";
import { isText } from "../packets/properties.ts";
import { type Reason, reasons } from "../packets/reasons.ts";
import { mayBeSubscribed } from "../packets/topic.ts";
import type { UplinkDevice } from "./device.ts";
import { refuseLarge } from "./publish.ts";
import { filtersMax, refuseSubscribe } from "./subscribe.ts";
import { refuseUnsubscribe, writeUnsubscribe } from "./unsubscribe.ts";

export interface LargePacket {
  /** What comes of it, from its variable header on. */
  take?(piece: Buffer): void;
  /** At its end. */
  answer(skipped: Skipped): Outcome | Promise<Outcome>;
}

/** bytes of filters that go to the broker in one UNSUBSCRIBE */
const partBytes = 32 * 1024;
const longestFilter = 65_535;

/** By its first byte. undefined: no client has a reason to send such a packet. */
export function openLarge(
  first: number,
  device: UplinkDevice,
  { maxBytes, toBroker }: { maxBytes: number; toBroker(packet: Buffer): void },
): LargePacket | undefined {
  if (first >> 4 === types.publish) return { answer: (skipped) => refuseLarge(skipped, device, maxBytes) };
  if (first === ((types.subscribe << 4) | 2)) return countFilters(true, device, maxBytes);
  if (first !== ((types.unsubscribe << 4) | 2)) return undefined;
  return device.version === 5 ? countFilters(false, device, maxBytes) : unsubscribeInParts(device, toBroker);
}

/** Refuses each filter without having kept any. */
function countFilters(isSubscribe: boolean, device: UplinkDevice, maxBytes: number): LargePacket {
  const reader = openFilterReader({ isSubscribe, version: device.version });
  const refuse = isSubscribe ? refuseSubscribe : refuseUnsubscribe;
  return {
    take: reader.take,
    answer() {
      const count = reader.end();
      if (count === undefined) return { close: reasons.malformed };
      if (reader.packetId() === 0) return { close: reasons.protocolError };
      // The answer has a byte for each filter.
      if (count > maxBytes) return { close: reasons.tooLarge };
      const { tooManyFilters } = reasons;
      const reason =
        count > filtersMax ? tooManyFilters : { ...tooManyFilters, words: `a packet may have ${maxBytes} bytes` };
      return refuse(reader.packetId(), count, reason, device);
    },
  };
}

/** UNSUBACK of MQTT 3.1.1 can only say yes, so it has to be true. All parts have its packet id; the last one's UNSUBACK is passed on. */
function unsubscribeInParts(device: UplinkDevice, toBroker: (packet: Buffer) => void): LargePacket {
  const { version, surplus } = device;
  const part = openPart();
  const reader = openFilterReader({
    isSubscribe: false,
    version,
    onFilter(filter) {
      const packetId = reader.packetId();
      if (packetId === 0 || !isText(filter) || !mayBeSubscribed(filter.toString())) return;
      device.hearing.unsubscribed();
      if (part.isFull()) {
        surplus.set(packetId, (surplus.get(packetId) ?? 0) + 1);
        toBroker(part.take(packetId));
      }
      part.add(filter);
    },
  });
  const fault = (): Reason | undefined => {
    if (reader.end() === undefined) return reasons.malformed;
    return reader.packetId() === 0 ? reasons.protocolError : undefined;
  };
  return {
    take: reader.take,
    answer() {
      const close = fault();
      if (close !== undefined) return { close };
      if (!part.isEmpty()) return { forward: part.take(reader.packetId()) };
      return refuseUnsubscribe(reader.packetId(), 1, reasons.topicFilterInvalid, device);
    },
  };
}

/** Filters of one UNSUBSCRIBE, as they are spelled there. */
function openPart() {
  const bytes = Buffer.allocUnsafeSlow(partBytes + 2 + longestFilter);
  let used = 0;
  let count = 0;
  return {
    isFull: () => count === filtersMax || used > partBytes,
    isEmpty: () => count === 0,
    add(filter: Buffer): void {
      used = bytes.writeUInt16BE(filter.length, used);
      used += filter.copy(bytes, used);
      count += 1;
    },
    take(packetId: number): Buffer {
      const packet = writeUnsubscribe(Buffer.from([packetId >> 8, packetId & 0xff]), [bytes.subarray(0, used)]);
      used = count = 0;
      return packet;
    },
  };
}

/** Is the broker's UNSUBACK one of a part that was not the last? */
export function isSurplus(packetId: number, { surplus }: UplinkDevice): boolean {
  const left = surplus.get(packetId) ?? 0;
  if (left > 1) surplus.set(packetId, left - 1);
  else surplus.delete(packetId);
  return left > 0;
}
