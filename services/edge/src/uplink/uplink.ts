// Decides one packet of a connected device by its type: most pass as they came.
import type { Decisions } from "../hooks/decisions.ts";
import type { Framing } from "../packets/framing.ts";
import { areFiltersText, checkAcknowledgement, readFilters } from "../packets/grammar.ts";
import { asItCame, dropped, type Outcome } from "../packets/outcome.ts";
import { types } from "../packets/packets.ts";
import { type Reason, reasons } from "../packets/reasons.ts";
import type { UplinkDevice } from "./device.ts";
import { decidePublish } from "./publish.ts";
import { decideSubscribe, filtersMax, refuseSubscribe } from "./subscribe.ts";
import { decideUnsubscribe } from "./unsubscribe.ts";

/** DISCONNECT is not here: it changes the connection itself. */
export function decideUplink(frame: Framing, device: UplinkDevice, decisions: Decisions): Outcome | Promise<Outcome> {
  const { bytes, start, body, end } = frame;
  const first = bytes[start]!;
  switch (first) {
    case types.puback << 4:
    case types.pubrec << 4:
    case types.pubcomp << 4:
      return closeFor(checkAcknowledgement(bytes, body, end, device.version)) ?? confirm(frame, device);
    case (types.pubrel << 4) | 2:
      return closeFor(checkAcknowledgement(bytes, body, end, device.version)) ?? release(bytes, body, device);
    case (types.subscribe << 4) | 2:
    case (types.unsubscribe << 4) | 2:
      return decideFilters(frame, device, decisions);
    case types.pingreq << 4:
      return body === end ? ping(device) : { close: reasons.malformed };
    default:
      if (first >> 4 === types.publish) return decidePublish(frame, device, decisions);
      return { close: notExpected.has(first >> 4) ? reasons.protocolError : reasons.malformed };
  }
}

/** Sound packets, only not now: nobody connects twice, and nobody agreed to AUTH. */
const notExpected: ReadonlySet<number> = new Set([types.connect, types.auth]);

function closeFor(fault: Reason | undefined): Outcome | undefined {
  return fault === undefined ? undefined : { close: fault };
}

function decideFilters(frame: Framing, device: UplinkDevice, decisions: Decisions): Outcome | Promise<Outcome> {
  const isSubscribe = frame.bytes[frame.start]! >> 4 === types.subscribe;
  const found = readFilters(frame, device.version);
  if ("code" in found) return { close: found };
  const { packetId, count, first } = found;
  if (!isSubscribe) {
    const inPacket = { ...found, first: first - frame.start };
    return decideUnsubscribe(frame.packet(), frame.body - frame.start, inPacket, device);
  }
  if (count > filtersMax) return refuseSubscribe(packetId, count, reasons.tooManyFilters, device);
  // MQTT wants this closed. First it is answered, or a client would ask for the same filters on every connection again.
  if (!areFiltersText(frame.bytes, first, frame.end, true))
    return { ...refuseSubscribe(packetId, count, reasons.topicFilterInvalid, device), close: reasons.malformed };
  return decideSubscribe(frame.packet(), device, decisions);
}

function confirm(frame: Framing, { owed, direct }: UplinkDevice): Outcome {
  if (frame.bytes[frame.start]! >> 4 === types.puback && direct?.confirmed(frame)) return dropped;
  owed.confirmed(frame);
  return asItCame;
}

function ping(device: UplinkDevice): Outcome {
  device.pings += 1;
  return asItCame;
}

/** PUBREL goes on to the broker, unless it belongs to a publish that the broker has never seen. */
function release(bytes: Buffer, body: number, { refusals }: UplinkDevice): Outcome {
  const reply = refusals.release(bytes.readUInt16BE(body));
  return reply === undefined ? asItCame : { reply };
}
