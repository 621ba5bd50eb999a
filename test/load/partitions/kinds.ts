// The two kinds of partitions, and what falls into them: by the code that every service uses.
import { p2pConv, roomConv } from "@parley/protocol";
import {
  conversationPartition,
  conversationPartitions,
  ingestPartition,
  ingestPartitions,
} from "@parley/protocol/partition";

export interface Kind {
  /** of the leases */
  kind: "ingest" | "conversation";
  keys: readonly string[];
  /** what is spread over the partitions */
  of: string;
  /** who holds them */
  holder: "router" | "history";
  /** the key of the n-th of what is spread */
  keyOf(n: number): string;
}

/** Every second conversation is a room, the others are of two users. */
export const conversationKind: Kind = {
  kind: "conversation",
  keys: conversationPartitions,
  of: "conversations",
  holder: "history",
  keyOf: (n) => String(conversationPartition(n % 2 === 0 ? roomConv(`room${n}`) : p2pConv(`user${n}`, `friend${n}`))),
};

export const ingestKind: Kind = {
  kind: "ingest",
  keys: ingestPartitions,
  of: "devices",
  holder: "router",
  keyOf: (n) => ingestPartition(`user${n}:phone`),
};
