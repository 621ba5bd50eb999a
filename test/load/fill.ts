// Fills history's store past the services, before they start: through the store's own port, in large batches.
import { p2pConv } from "@parley/protocol";
import { conversationPartition, conversationPartitionCount } from "@parley/protocol/partition";
import { type LogEntry, type MessageLog, openStore } from "@parley/store";

/** A conversation of two, `messages` long, both sending in turn. */
export interface Talk {
  a: string;
  b: string;
  messages: number;
}

/** The store as a service opens it; the caller closes it. */
export const openHistory = (storeUrl: string) =>
  openStore(storeUrl, { service: "history", facts: { conversationPartitions: conversationPartitionCount } });

export const convOfTalk = ({ a, b }: Pick<Talk, "a" | "b">) => p2pConv(a, b);

const batchMessages = 500;
const fixedText = "x".repeat(150);
const minuteMs = 60_000;

/** The talks go on side by side, as they would have: neighbours in time are neighbours in the store. */
export async function fillLog(
  log: MessageLog,
  talks: readonly Talk[],
  nextText: () => string = () => fixedText,
): Promise<number> {
  const start = Date.now() - 24 * 60 * minuteMs;
  const rounds = Math.max(...talks.map(({ messages }) => messages));
  const partitions = new Map<number, { pos: number; batch: LogEntry[] }>();
  const known = talks.map((talk) => {
    const conv = convOfTalk(talk);
    return { ...talk, conv, q: conversationPartition(conv) };
  });
  let written = 0;
  const write = async (q: number, partition: { batch: LogEntry[] }) => {
    const { batch } = partition;
    partition.batch = [];
    written += batch.length;
    await log.append(q, batch);
  };
  for (let seq = 1; seq <= rounds; seq++) {
    const full: Promise<void>[] = [];
    for (const talk of known) {
      if (seq > talk.messages) continue;
      const partition = partitions.get(talk.q) ?? { pos: 0, batch: [] };
      partitions.set(talk.q, partition);
      partition.pos += 1;
      partition.batch.push(entryOf(talk, { seq, pos: partition.pos, ts: start + seq, text: nextText() }));
      if (partition.batch.length === batchMessages) full.push(write(talk.q, partition));
    }
    await Promise.all(full);
  }
  await Promise.all([...partitions].filter(([, { batch }]) => batch.length > 0).map(([q, one]) => write(q, one)));
  return written;
}

function entryOf(
  { a, b, conv, q }: Talk & { conv: string; q: number },
  { seq, pos, ts, text }: { seq: number; pos: number; ts: number; text: string },
): LogEntry {
  const [from, to] = seq % 2 === 0 ? [a, b] : [b, a];
  const id = `${ts.toString(36)}${Math.random().toString(36).slice(2, 14)}`;
  const body = Buffer.from(`{"id":"${id}","to":"user/${to}","content":{"type":"text","data":${JSON.stringify(text)}}}`);
  const fixed = { type: "text", origin: null, event: null, memberSeq: 0 };
  return { q, pos, conv, seq, ord: seq, from, device: `${from}:bench`, id, ts, body, ...fixed };
}
