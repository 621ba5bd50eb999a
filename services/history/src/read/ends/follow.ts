// Partitions that are followed on demand: whoever needs one has it up to its end as that was when it asked, or later.
import { conversationPartitionCount } from "@parley/protocol/partition";
import { type LogEntry, type MessageLog, StoreError } from "@parley/store";

export interface FollowParts {
  log: Pick<MessageLog, "last" | "follow">;
  /** The last position of a partition that this replica holds, where nobody else can have stored anything. */
  heldPos(q: number): number | undefined;
  /** the next entries of a partition, in order */
  take(q: number, entries: readonly LogEntry[]): void;
  /** It is followed from its end on: what was known of it before counts no more. */
  begin(q: number): void;
}

export interface Following {
  reach(q: number): Promise<void>;
  /** up to where it is followed; 0: it is not */
  position(q: number): number;
  /** What this replica stored, in the order of `pos`: it is not read again. */
  stored(q: number, entries: readonly LogEntry[]): void;
}

const pageSize = 500;
/** Who asks after a long time finds all anew. */
const followedMost = 2_000;

export function createFollowing({ log, heldPos, take, begin }: FollowParts): Following {
  const positions = new Array<number | undefined>(conversationPartitionCount);
  const underWay = new Map<number, Promise<void>>();

  function takeNext(q: number, entries: readonly LogEntry[]): void {
    const from = positions[q] ?? 0;
    const next = entries.filter(({ pos }) => pos > from);
    positions[q] = next.at(-1)?.pos ?? from;
    take(q, next);
  }

  async function page(q: number, from: number, to: number): Promise<void> {
    const entries = await log.follow(q, from, Math.min(pageSize, to - from));
    if (entries.length === 0) throw new StoreError("unavailable", `partition ${q} ends before entry ${to}`);
    takeNext(q, entries);
  }

  return {
    async reach(q) {
      const to = heldPos(q) ?? (await log.last(q)).pos;
      for (;;) {
        const from = positions[q];
        if (from !== undefined && from >= to) return;
        if (from === undefined || to - from > followedMost) {
          positions[q] = to;
          begin(q);
          return;
        }
        const work = underWay.get(q) ?? page(q, from, to).finally(() => underWay.delete(q));
        underWay.set(q, work);
        await work;
      }
    },
    position: (q) => positions[q] ?? 0,
    stored(q, entries) {
      // Where something lies between, the log has it.
      if (entries[0]?.pos === (positions[q] ?? Number.NaN) + 1) takeNext(q, entries);
    },
  };
}
