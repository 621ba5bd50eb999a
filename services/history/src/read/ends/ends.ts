// How far conversations are, kept in memory for whoever asks about many again and again. The log alone says so: what is kept of a
// partition is followed, so that it is never older than what was acknowledged before it was asked for.
import { conversationPartition, conversationPartitionCount } from "@parley/protocol/partition";
import { upTo } from "@parley/runtime";
import type { LogEntry } from "@parley/store";
import { LRUCache } from "lru-cache";
import { type End, endBehind, laterEnd, noEnd } from "./end.ts";
import { createFollowing, type Following, type FollowParts } from "./follow.ts";
import { type ReadParts, readEnds } from "./read.ts";

export interface Ends extends Pick<Following, "stored"> {
  of(convs: Iterable<string>): Promise<ReadonlyMap<string, End>>;
  /** Follows these partitions up to where they are. Where one is as it was before, no conversation of it has moved. */
  reach(partitions: Iterable<number>): Promise<(q: number) => number>;
}

interface Kept {
  /** while it is read: what is followed meanwhile */
  end: End;
  epoch: number;
  reading?: Promise<unknown>;
}

/** About 300 bytes each. */
const endsKept = 100_000;

export function createEnds(parts: ReadParts & Pick<FollowParts, "heldPos">, most = endsKept): Ends {
  const kept = new LRUCache<string, Kept>(upTo(most));
  /** what is kept of a partition is of its latest epoch, or counts no more */
  const epochs = new Uint32Array(conversationPartitionCount);

  function take(q: number, entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      const found = kept.peek(entry.conv);
      if (found && found.epoch === epochs[q]) found.end = endBehind(found.end, entry);
    }
  }

  function begin(q: number): void {
    epochs[q] = (epochs[q] ?? 0) + 1;
  }

  // Kept before it is read, so that nothing is missed between what is read and what is followed.
  function read(convs: readonly string[]): Kept[] {
    if (convs.length === 0) return [];
    const missing = convs.map((conv): [string, Kept] => {
      const end = noEnd(conv);
      return [conv, { end, epoch: epochs[end.q] ?? 0 }];
    });
    const reading = readEnds(parts, convs).then(
      (found) => {
        for (const [conv, one] of missing) {
          one.end = laterEnd(one.end, found.get(conv) ?? one.end);
          delete one.reading;
        }
      },
      (error: unknown) => {
        for (const [conv, one] of missing) if (kept.peek(conv) === one) kept.delete(conv);
        throw error;
      },
    );
    for (const [conv, one] of missing) kept.set(conv, Object.assign(one, { reading }));
    return missing.map(([, one]) => one);
  }

  const { reach, position, stored } = createFollowing({ log: parts.store.log, heldPos: parts.heldPos, take, begin });
  return {
    stored,
    async reach(partitions) {
      await Promise.all([...partitions].map(reach));
      const now = Float64Array.from({ length: conversationPartitionCount }, (_, q) => position(q));
      return (q) => now[q] ?? 0;
    },
    async of(asked) {
      const convs = [...new Set(asked)];
      const partitions = convs.map((conv) => kept.peek(conv)?.end.q ?? conversationPartition(conv));
      await Promise.all([...new Set(partitions)].map(reach));
      const found = convs.map((conv, at) => {
        const one = kept.get(conv);
        return one?.epoch === epochs[partitions[at] ?? 0] ? one : undefined;
      });
      const missing = convs.filter((_, at) => found[at] === undefined);
      const began = read(missing);
      const all = found.map((one) => one ?? (began.shift() as Kept));
      await Promise.all(new Set(all.map(({ reading }) => reading)));
      return new Map(convs.map((conv, at) => [conv, (all[at] as Kept).end]));
    },
  };
}
