// What is known of one device while a router holds it. All of it may be lost: what has to be known again is asked for.

import { parseConv } from "../../../ids.ts";
import { isStoredMessage } from "../../../packets/downlink.ts";
import type { MembershipEvent } from "../../../rooms.ts";
import type { Tree } from "../../../trees.ts";
import { createTurns, type Turns } from "../../../turns.ts";
import type { Downlink, Parley } from "../../dialect.ts";
import { type OwnPresence, openOwnPresence } from "../../own-presence.ts";
import { type Remembered, remembering } from "../../remembered.ts";

/** Where a message stands. */
export interface Place {
  conv: string;
  seq: number;
}

export interface Device {
  readonly tree: Tree;
  readonly parley: Parley;
  hears(topic: string): boolean;
  /** False: in the background. Nothing is told to it that is worth nothing later. */
  active: boolean;
  readonly presence: OwnPresence;
  /** unix ms */
  toldOfFloodAt: number;
  /** Is an id a user's or a room's? */
  kinds: Remembered<"user" | "room">;
  /** What it was sent of others, by sender and message id: receipts name messages so. */
  delivered: Remembered<Place & { id: string; from: string }>;
  /** Of its own user's messages, by conversation and seq: the id by which delivery is told. */
  sent: Remembered<Place & { id: string }>;
  /** Conversation → up to which of the user's own messages delivery was told. */
  deliveryTold: Remembered<number>;
  /** Conversation → up to where the user itself has read, as this device was told. */
  seenTold: Remembered<number>;
  /** Group → its members, where the device is told who they are. */
  members: Remembered<Set<string>>;
  /** Members that are being read: their group, and what happened in it meanwhile, which they may not tell yet. */
  membersReads: Set<{ id: string; since: MembershipEvent[] }>;
  /** Topic → the list that it was last told there, and by which event. */
  listsTold: Remembered<{ payload: string; seq: number | undefined }>;
  /** Friend → how it is, while the device is in the background. */
  heldPresence: Remembered<"L" | "F">;
  /** Changes of one group are done one after the other. */
  turns: Turns;
}

/** What receipts are looked for in. */
const deliveriesKept = 1_000;
const idsKept = 1_000;
const groupsKept = 100;

export function openDevice(tree: Tree, parley: Parley): Device {
  return {
    tree,
    parley,
    hears: (topic) => parley.hears(topic),
    active: true,
    presence: openOwnPresence(tree, parley),
    toldOfFloodAt: 0,
    kinds: remembering(idsKept),
    delivered: remembering(deliveriesKept),
    sent: remembering(deliveriesKept),
    deliveryTold: remembering(idsKept),
    seenTold: remembering(idsKept),
    members: remembering(groupsKept),
    membersReads: new Set(),
    listsTold: remembering(2 * groupsKept),
    heldPresence: remembering(idsKept),
    turns: createTurns(),
  };
}

/** A stored message, as far as this dialect reads one. */
export interface StoredMessage extends Place {
  from: string;
  device: string;
  ts: number;
  id: string;
  content: { type: string } & Record<string, unknown>;
}

/** The packet, if it is a stored message. */
export function asMessage(packet: Downlink): StoredMessage | undefined {
  return isStoredMessage(packet) ? (packet as unknown as StoredMessage) : undefined;
}

/** What happened in a group. */
export interface GroupEvent {
  roomId: string;
  seq: number;
  content: StoredMessage["content"];
  event: MembershipEvent;
}

/** The packet, if it tells of that. */
export function asGroupEvent(packet: Downlink): GroupEvent | undefined {
  const message = asMessage(packet);
  if (message?.content.type !== "event") return undefined;
  const parsed = parseConv(message.conv);
  if (parsed?.kind !== "room") return undefined;
  const { seq, content } = message;
  return { roomId: parsed.roomId, seq, content, event: content.data as unknown as MembershipEvent };
}
