// What the edge keeps of a connected device to decide what it sends.
import type { DirectDevice } from "../direct/direct-device.ts";
import { type Hearing, openHearing } from "../direct/hearing.ts";
import type { Version } from "../packets/packets.ts";
import { SparseMap } from "../packets/sparse.ts";
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
export type PartialAnswers = SparseMap<number, PartialAnswer>;

export interface UplinkDevice extends RefusedDevice {
  readonly partial: PartialAnswers;
  /** how many UNSUBACKs the broker owes that are nobody's: of an UNSUBSCRIBE that it got in parts, by packet id */
  readonly surplus: SparseMap<number, number>;
  readonly aliases: TopicAliases;
  readonly owed: Owed;
  readonly hearing: Hearing;
  /** what it gets past the broker; undefined: nothing yet */
  direct: DirectDevice | undefined;
  /** its PINGREQs that the broker has not answered */
  pings: number;
  readonly refusals: Refusals;
  /** it said so: it gets nothing ephemeral */
  isInactive: boolean;
  /** False once its connection is closed: nobody waits for an answer any more. */
  isOpen(): boolean;
}

/** `isNew`: the broker had no session of it. */
export function openDesk(admitted: RefusedDevice, isNew: boolean, isOpen: () => boolean): UplinkDevice {
  return new Desk(admitted, isNew, isOpen);
}

/** Nearly all devices need no more than its first lines: the rest is made when it is first asked for. */
class Desk implements UplinkDevice {
  readonly clientId: string;
  readonly username: string | null;
  readonly hasOwnTopics: boolean;
  readonly expiresAt: number | undefined;
  readonly version: Version;
  readonly wantsWords: boolean;
  readonly maxPacketBytes: number;
  readonly hasTree: boolean;
  readonly isOpen: () => boolean;
  tellRouter: UplinkDevice["tellRouter"];
  readonly owed = openOwed();
  readonly hearing: Hearing;
  direct: DirectDevice | undefined;
  pings = 0;
  readonly partial: PartialAnswers = new SparseMap();
  readonly surplus = new SparseMap<number, number>();
  isInactive = false;
  #aliases: TopicAliases | undefined;
  #refusals: Refusals | undefined;

  constructor(admitted: RefusedDevice, isNew: boolean, isOpen: () => boolean) {
    this.hearing = openHearing(isNew);
    this.clientId = admitted.clientId;
    this.username = admitted.username;
    this.hasOwnTopics = admitted.hasOwnTopics;
    this.expiresAt = admitted.expiresAt;
    this.version = admitted.version;
    this.wantsWords = admitted.wantsWords;
    this.maxPacketBytes = admitted.maxPacketBytes;
    this.hasTree = admitted.hasTree;
    this.isOpen = isOpen;
  }

  get aliases(): TopicAliases {
    this.#aliases ??= new Map();
    return this.#aliases;
  }

  get refusals(): Refusals {
    this.#refusals ??= openRefusals(this);
    return this.#refusals;
  }
}
