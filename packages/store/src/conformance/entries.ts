// Entries for the log's tests.
import { createHash } from "node:crypto";
import type { EntryKey, LogEntry, MessageLog } from "../log.ts";

/** The conversation partition, as the history service computes it. */
export function partitionOf(conv: string): number {
  return createHash("md5").update(conv).digest()[0]!;
}

/** An entry that differs from every other by its `conv` and `seq`, unless the change says otherwise. */
export function entry(conv: string, seq: number, pos: number, change: Partial<LogEntry> = {}): LogEntry {
  return {
    q: partitionOf(conv),
    pos,
    conv,
    seq,
    ord: seq,
    from: "alice",
    device: "alice:phone",
    id: `id-${seq}`,
    type: "text",
    ts: 1_795_240_386_143 + seq,
    origin: null,
    event: null,
    memberSeq: 0,
    body: new TextEncoder().encode(`{"id":"id-${seq}","content":{"type":"text","data":"hi"}}`),
    ...change,
  };
}

/** `count` entries of one conversation that is alone in its partition, from seq and pos `first`. */
export function entries(conv: string, first: number, count: number): LogEntry[] {
  return Array.from({ length: count }, (_, index) => entry(conv, first + index, first + index));
}

export async function append(log: MessageLog, batch: readonly LogEntry[]): Promise<void> {
  await log.append(batch[0]!.q, batch);
}

/** Names of conversations that share the partition of `conv`. */
export function neighboursOf(conv: string, count: number): string[] {
  const q = partitionOf(conv);
  const found: string[] = [];
  for (let n = 0; found.length < count; n++) {
    if (partitionOf(`room/n${n}`) === q && `room/n${n}` !== conv) found.push(`room/n${n}`);
  }
  return found;
}

export function keyOf({ conv, from, device, id }: LogEntry): EntryKey {
  return { conv, from, device, id };
}

export function seqs(found: readonly LogEntry[]): number[] {
  return found.map(({ seq }) => seq);
}

/** An engine may answer a body as any kind of Uint8Array. */
export function plain<E extends LogEntry | undefined>(found: E): E {
  return found && { ...found, body: Uint8Array.from(found.body) };
}
