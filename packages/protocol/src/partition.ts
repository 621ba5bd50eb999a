// Ingest partitions `p` and conversation partitions `q`: both counts are constants of every store and broker.
import { hash } from "node:crypto";

/** The 16 ingest partitions: the first hex digit of md5(clientId). */
export const ingestPartitions: readonly string[] = Array.from({ length: 16 }, (_, p) => p.toString(16));

/** How many conversation partitions there are; `q` is 0 … 255. */
export const conversationPartitionCount = 256;

/** The keys of the leases on conversation partitions: `"0"` … `"255"`. */
export const conversationPartitions: readonly string[] = Array.from({ length: conversationPartitionCount }, (_, q) =>
  String(q),
);

/** `p` of a device, by its client id. */
export function ingestPartition(clientId: string): string {
  return hash("md5", clientId, "hex").charAt(0);
}

const knownPartitions = new Map<string, number>();
const knownPartitionsMax = 20_000;

/** `q` of a conversation: the first byte of md5(conv). Remembered for the latest 20,000 conversations. */
export function conversationPartition(conv: string): number {
  const known = knownPartitions.get(conv);
  if (known !== undefined) return known;
  const q = Number.parseInt(hash("md5", conv, "hex").slice(0, 2), 16);
  if (knownPartitions.size >= knownPartitionsMax) knownPartitions.clear();
  knownPartitions.set(conv, q);
  return q;
}
