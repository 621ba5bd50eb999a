// Decides UNSUBSCRIBE: what nobody could have subscribed ends the connection, as a broker would end it.
import { asItCame, type Outcome } from "../packets/outcome.ts";
import { readPacket } from "../packets/packets.ts";
import { reasons } from "../packets/reasons.ts";
import { isTopicFilter } from "../packets/topic.ts";
import type { UplinkDevice } from "./device.ts";

/** `packet` is well-formed. */
export function decideUnsubscribe(packet: Buffer, { version }: UplinkDevice): Outcome {
  const unsubscribe = readPacket(packet, "unsubscribe", version);
  if (unsubscribe === undefined) return { close: reasons.malformed };
  return unsubscribe.unsubscriptions.every(isTopicFilter) ? asItCame : { close: reasons.topicFilterInvalid };
}
