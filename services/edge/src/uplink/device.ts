// What the edge keeps of a connected device to decide what it sends.
import type { Asker } from "../hooks/questions.ts";
import type { Version } from "../packets/packets.ts";
import type { TopicAliases } from "../packets/topic-aliases.ts";
import type { Refusals } from "./refusals.ts";
import type { PartialSubacks } from "./subscribe.ts";

export interface UplinkDevice extends Asker {
  version: Version;
  /** MQTT 5: it wants to be told in words what was wrong (Request Problem Information) */
  wantsWords: boolean;
  /** the largest packet it takes */
  maxPacketBytes: number;
  partial: PartialSubacks;
  aliases: TopicAliases;
  refusals: Refusals;
  /** False once its connection is closed: nobody waits for an answer any more. */
  isOpen(): boolean;
}
