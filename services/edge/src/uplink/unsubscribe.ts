// Decides UNSUBSCRIBE: what nobody could have subscribed ends the connection, as a broker would end it.
import { asItCame, type Outcome } from "../packets/outcome.ts";
import { readPacket, writePacket } from "../packets/packets.ts";
import { reasons } from "../packets/reasons.ts";
import { isTopicFilter } from "../packets/topic.ts";
import type { UplinkDevice } from "./device.ts";

/** `packet` is well-formed. */
export function decideUnsubscribe(packet: Buffer, { version }: UplinkDevice): Outcome {
  const unsubscribe = readPacket(packet, "unsubscribe", version);
  if (unsubscribe === undefined) return { close: reasons.malformed };
  return unsubscribe.unsubscriptions.every(isTopicFilter) ? asItCame : { close: reasons.topicFilterInvalid };
}

/** "Implementation specific error": UNSUBACK has no code for too many [MQTT5 3.11.3]. */
const refusedCode = 0x83;

/** Refuses every filter of an UNSUBSCRIBE that names too many. UNSUBACK of MQTT 3.1.1 can only say yes: it is closed. */
export function refuseUnsubscribe(packetId: number, filters: number, { version }: UplinkDevice): Outcome {
  if (version === 4) return { close: reasons.tooManyFilters };
  const granted = Array<number>(filters).fill(refusedCode);
  return { reply: writePacket({ cmd: "unsuback", messageId: packetId, granted }, version) };
}
