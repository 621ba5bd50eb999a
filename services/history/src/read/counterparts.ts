// The copies of messages in other rooms: entries of the same sender, device and id.
import { AppError, type CounterpartsReply, type CounterpartsRequest, limits } from "@parley/protocol";
import type { MessageLog } from "@parley/store";
import { entryAt } from "../keep/entry-at.ts";

/** What one entry refers to at most: the message it is about, or the one it answers and its thread. */
const seqsMax = 2;

export async function counterparts(
  log: Pick<MessageLog, "range" | "find">,
  { conv, seqs, convs }: CounterpartsRequest,
): Promise<CounterpartsReply> {
  if (seqs.length > seqsMax || convs.length > limits.nestedRooms)
    throw new AppError("invalid_packet", `seqs: at most ${seqsMax}, convs: at most ${limits.nestedRooms}`);
  const originals = await Promise.all(seqs.map((seq) => entryAt({ log }, conv, seq)));
  // Of an erased one nothing names its copies any more.
  const keys = convs.flatMap((to) =>
    originals.flatMap((entry) =>
      entry?.id ? [{ conv: to, from: entry.from, device: entry.device, id: entry.id }] : [],
    ),
  );
  const entries = keys.length === 0 ? [] : await log.find(keys);
  const places = new Map(
    entries.flatMap((entry) =>
      entry ? [[`${entry.conv} ${entry.from} ${entry.device} ${entry.id}`, entry.seq] as const] : [],
    ),
  );
  return {
    found: convs.map((to) =>
      originals.map((entry) => (entry && places.get(`${to} ${entry.from} ${entry.device} ${entry.id}`)) ?? null),
    ),
  };
}
