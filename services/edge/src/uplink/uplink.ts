// Decides one packet of a connected device by its type: most pass as they came.
import type { Decisions } from "../hooks/decisions.ts";
import type { Asker } from "../hooks/questions.ts";
import type { Framing } from "../packets/framing.ts";
import { asItCame, type Outcome } from "../packets/outcome.ts";
import { types, type Version } from "../packets/packets.ts";
import { reasons } from "../packets/reasons.ts";
import { decidePublish } from "./publish.ts";
import { decideSubscribe, type PartialSubacks } from "./subscribe.ts";

/** DISCONNECT is not here: it changes the connection itself. */
export function decideUplink(
  frame: Framing,
  device: Asker & { version: Version },
  decisions: Decisions,
  partial: PartialSubacks,
): Outcome | Promise<Outcome> {
  const first = frame.bytes[frame.start]!;
  if (first >> 4 === types.publish) return decidePublish(frame, device.version, device, decisions);
  switch (first) {
    case (types.subscribe << 4) | 2:
      return decideSubscribe(frame.packet(), device.version, device, decisions, partial);
    case types.puback << 4:
    case types.pubrec << 4:
    case (types.pubrel << 4) | 2:
    case types.pubcomp << 4:
    case (types.unsubscribe << 4) | 2:
    case types.pingreq << 4:
      return asItCame;
    default:
      return { close: first >> 4 === types.connect ? reasons.protocolError : reasons.malformed };
  }
}
