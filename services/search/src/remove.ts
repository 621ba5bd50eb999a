// What was erased in the log is gone from every index, on the disk too.
import { AppError, isConv, type RemoveRequest } from "@parley/protocol";
import type { Pass } from "@parley/runtime";
import { lastVersion } from "@parley/store";
import { type Indexes, unavailable } from "./indexes.ts";

const seqsMost = 10_000;

/** Again is harmless. What is still on its way into an index does not come back. */
export async function removeMessages(
  { indexes, pass }: { indexes: Indexes; pass: Pass },
  { conv, seqs, later }: RemoveRequest,
): Promise<object> {
  const isValid = isConv(conv) && Array.isArray(seqs) && seqs.length <= seqsMost && seqs.every(Number.isSafeInteger);
  if (!isValid) throw new AppError("invalid_packet", `a conversation and at most ${seqsMost} seqs are needed`);
  const ts = Date.now();
  const gone = seqs.map((seq) => ({ conv, seq, version: lastVersion, ts, from: "", text: null, has: [] }));
  try {
    for (const index of await indexes.all()) {
      await index.put(gone);
      pass("before-index-compacted");
      if (!later) await index.compact();
    }
  } catch (error) {
    throw unavailable(error);
  }
  return {};
}

/** Nothing that was removed is on the disk any more when it resolves. */
export async function compactAll(indexes: Indexes): Promise<void> {
  try {
    for (const index of await indexes.all()) await index.compact();
  } catch (error) {
    throw unavailable(error);
  }
}
