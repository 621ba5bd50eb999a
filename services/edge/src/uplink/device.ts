// What the edge keeps of a connected device to decide what it sends.
import type { TopicAliases } from "../packets/topic-aliases.ts";
import type { Refusals, RefusedDevice } from "./refusals.ts";

export interface PartialSuback {
  /** in order, undefined where the broker's own belong */
  codes: (number | undefined)[];
  /** why the others are refused; empty when nobody wants to know */
  words: string;
}

/** SUBACKs the broker owes for a part of what was asked, by packet id. */
export type PartialSubacks = Map<number, PartialSuback>;

export interface UplinkDevice extends RefusedDevice {
  partial: PartialSubacks;
  aliases: TopicAliases;
  refusals: Refusals;
  /** False once its connection is closed: nobody waits for an answer any more. */
  isOpen(): boolean;
}
