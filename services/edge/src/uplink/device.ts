// What the edge keeps of a connected device to decide what it sends.
import type { TopicAliases } from "../packets/topic-aliases.ts";
import { type Owed, openOwed } from "./owed.ts";
import { openRefusals, type Refusals, type RefusedDevice } from "./refusals.ts";

export interface PartialAnswer {
  /** in order, undefined where the broker's own belong */
  codes: (number | undefined)[];
  /** why the others are refused; empty when nobody wants to know */
  words: string;
}

/** SUBACKs and UNSUBACKs the broker owes for a part of what was asked, by packet id. */
export type PartialAnswers = Map<number, PartialAnswer>;

export interface UplinkDevice extends RefusedDevice {
  partial: PartialAnswers;
  /** how many UNSUBACKs the broker owes that are nobody's: of an UNSUBSCRIBE that it got in parts, by packet id */
  surplus: Map<number, number>;
  aliases: TopicAliases;
  owed: Owed;
  refusals: Refusals;
  /** it said so: it gets nothing ephemeral */
  isInactive: boolean;
  /** False once its connection is closed: nobody waits for an answer any more. */
  isOpen(): boolean;
}

export function openDesk(admitted: RefusedDevice, isOpen: () => boolean): UplinkDevice {
  const { clientId, username, version, wantsWords, maxPacketBytes } = admitted;
  const device = { clientId, username, version, wantsWords, maxPacketBytes };
  const refusals = openRefusals(device);
  const answers = { partial: new Map(), surplus: new Map(), aliases: new Map(), owed: openOwed() };
  return { ...device, isOpen, isInactive: false, refusals, ...answers };
}
