// Decides UNSUBSCRIBE: what nobody could have subscribed is answered here, all else goes to the broker, however much it is.
import { asItCame, type Outcome } from "../packets/outcome.ts";
import { readPacket, writePacket } from "../packets/packets.ts";
import type { Reason } from "../packets/reasons.ts";
import { isTopicFilter, mayBeSubscribed } from "../packets/topic.ts";
import type { UplinkDevice } from "./device.ts";
import { roomForPartial, writeAnswer } from "./subscribe.ts";

/** UNSUBACK has few codes [MQTT5 3.11.3]: "No subscription existed", "Implementation specific error", "Topic Filter invalid". */
const codes = { none: 0x11, refused: 0x83, invalid: 0x8f };

/** `packet` is well-formed. */
export function decideUnsubscribe(packet: Buffer, device: UplinkDevice): Outcome | Promise<Outcome> {
  const unsubscribe = readPacket(packet, "unsubscribe", device.version);
  const filters = unsubscribe?.unsubscriptions ?? [];
  if (filters.every(mayBeSubscribed)) {
    device.partial.delete(unsubscribe?.messageId ?? 0);
    return asItCame;
  }
  return forwardSome(unsubscribe!.messageId!, filters, device);
}

/** A broker closes for a filter that is none. A client may send that packet on every connection again, so it is answered. */
async function forwardSome(packetId: number, filters: string[], device: UplinkDevice): Promise<Outcome> {
  const known = filters.filter(mayBeSubscribed);
  const verdicts = filters.map((filter) => {
    if (mayBeSubscribed(filter)) return undefined;
    return isTopicFilter(filter) ? codes.none : codes.invalid;
  });
  if (known.length === 0) return { reply: writeAnswer("unsuback", packetId, verdicts as number[], "", device) };
  // UNSUBACK of MQTT 3.1.1 is the same whatever was asked.
  if (device.version === 5) {
    await roomForPartial(device);
    device.partial.set(packetId, { codes: verdicts, words: "" });
  }
  return { forward: writePacket({ cmd: "unsubscribe", messageId: packetId, unsubscriptions: known }, device.version) };
}

/** Refuses every filter of an UNSUBSCRIBE; MQTT 3.1.1 has no word for it. */
export function refuseUnsubscribe(packetId: number, filters: number, reason: Reason, device: UplinkDevice): Outcome {
  const words = device.wantsWords ? (reason.words ?? "") : "";
  return { reply: writeAnswer("unsuback", packetId, Array<number>(filters).fill(codes.refused), words, device) };
}
