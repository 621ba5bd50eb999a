// Decides UNSUBSCRIBE: what nobody could have subscribed is answered here, all else goes to the broker, however much it is.
import { setImmediate as nextTurn } from "node:timers/promises";
import { areFiltersText, type Filters } from "../packets/grammar.ts";
import { asItCame, type Outcome } from "../packets/outcome.ts";
import { types } from "../packets/packets.ts";
import { writeVarint } from "../packets/properties.ts";
import { type Reason, reasons } from "../packets/reasons.ts";
import { isTopicFilter, mayBeSubscribed } from "../packets/topic.ts";
import type { UplinkDevice } from "./device.ts";
import { filtersMax, roomForPartial, writeAnswer } from "./subscribe.ts";

/** UNSUBACK has few codes [MQTT5 3.11.3]: "No subscription existed", "Implementation specific error", "Topic Filter invalid". */
export const unsubscribeCodes = { none: 0x11, refused: 0x83, invalid: 0x8f };

/** Filters that stand side by side in a packet. */
interface Part {
  end: number;
  /** in order, undefined where the broker is asked */
  verdicts: (number | undefined)[];
  /** what the broker is asked, as it came */
  known: Buffer[];
}

/** `packet` is well-formed, its variable header begins at `body`. Others' packets go between its filters when they are many. */
export async function decideUnsubscribe(
  packet: Buffer,
  body: number,
  { packetId, count, first }: Filters,
  device: UplinkDevice,
): Promise<Outcome> {
  const parts: Part[] = [];
  for (let at = first; at < packet.length; at = parts.at(-1)!.end) {
    if (at > first) await nextTurn();
    const part = readPart(packet, at);
    // Closed, and answered first, as a SUBSCRIBE is.
    if (!areFiltersText(packet, at, part.end, false))
      return { ...refuseUnsubscribe(packetId, count, reasons.topicFilterInvalid, device), close: reasons.malformed };
    parts.push(part);
  }
  const known = parts.flatMap((part) => part.known);
  if (known.length > 0) device.hearing.unsubscribed();
  if (known.length === count) {
    device.partial.delete(packetId);
    return asItCame;
  }
  const verdicts = parts.flatMap((part) => part.verdicts);
  if (known.length === 0) return { reply: writeAnswer("unsuback", packetId, verdicts as number[], "", device) };
  await willComplete(packetId, verdicts, device);
  // A broker closes for a filter that is none. A client may send that packet on every connection again, so it is answered.
  return { forward: writeUnsubscribe(packet.subarray(body, first), known) };
}

/** As many filters from `at` on as a SUBSCRIBE may have. */
function readPart(packet: Buffer, at: number): Part {
  const part: Part = { end: at, verdicts: [], known: [] };
  while (part.end < packet.length && part.verdicts.length < filtersMax) {
    const from = part.end;
    part.end = from + 2 + packet.readUInt16BE(from);
    const filter = packet.toString("utf8", from + 2, part.end);
    const isKnown = mayBeSubscribed(filter);
    if (isKnown) part.known.push(packet.subarray(from, part.end));
    part.verdicts.push(isKnown ? undefined : isTopicFilter(filter) ? unsubscribeCodes.none : unsubscribeCodes.invalid);
  }
  return part;
}

/** UNSUBACK of MQTT 3.1.1 is the same whatever was asked. */
async function willComplete(packetId: number, verdicts: Part["verdicts"], device: UplinkDevice): Promise<void> {
  if (device.version === 4) return;
  await roomForPartial(device);
  device.partial.set(packetId, { codes: verdicts, words: "" });
}

/** `head`: the variable header. `filters`: each with its length. */
export function writeUnsubscribe(head: Buffer, filters: Buffer[]): Buffer {
  const body = Buffer.concat([head, ...filters]);
  return Buffer.concat([Buffer.from([(types.unsubscribe << 4) | 2]), writeVarint(body.length), body]);
}

/** Refuses every filter of an UNSUBSCRIBE; MQTT 3.1.1 has no word for it. */
export function refuseUnsubscribe(packetId: number, filters: number, reason: Reason, device: UplinkDevice): Outcome {
  const words = device.wantsWords ? (reason.words ?? "") : "";
  return {
    reply: writeAnswer("unsuback", packetId, Array<number>(filters).fill(unsubscribeCodes.refused), words, device),
  };
}
