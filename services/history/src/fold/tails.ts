// The tails that reads need: what the log has behind the marks, read once for all readers and continued.
import { type MessageLog, StoreError } from "@parley/store";
import { addToTail, emptyTail, type Tail } from "./tail.ts";

export interface Tails {
  /** A tail of the partition that begins at or before `from` and ends at or behind `to`. */
  read(q: number, from: number, to: number): Promise<Tail>;
}

const pageSize = 500;
// A tail that has grown begins again at the mark, if that has moved.
const renewedSize = 2_000;

/** `sizeMax`: events and senders kept, over all partitions; the least recently read tails go first. */
export function createTails(log: MessageLog, sizeMax = 200_000): Tails {
  const kept = new Map<number, Tail>();
  const underWay = new Map<number, Promise<Tail>>();
  let size = 0;

  function keep(tail: Tail, sizeBefore: number): void {
    size += tail.size - sizeBefore;
    kept.delete(tail.q);
    kept.set(tail.q, tail);
    for (const oldest of kept.values()) {
      if (size <= sizeMax) return;
      size -= oldest.size;
      kept.delete(oldest.q);
    }
  }

  async function extend(q: number, from: number, to: number): Promise<Tail> {
    const known = kept.get(q);
    const goesOn = known && known.from <= from && known.to >= from && (known.size < renewedSize || known.from === from);
    const tail = goesOn ? known : emptyTail(q, from);
    const sizeBefore = known?.size ?? 0;
    if (known) kept.delete(q);
    try {
      while (tail.to < to) {
        const page = await log.follow(q, tail.to, pageSize);
        if (page.length === 0) throw new StoreError("unavailable", `partition ${q} ends before entry ${to}`);
        addToTail(tail, page);
      }
    } catch (error) {
      size -= sizeBefore;
      throw error;
    }
    keep(tail, sizeBefore);
    return tail;
  }

  async function read(q: number, from: number, to: number): Promise<Tail> {
    for (;;) {
      const others = underWay.get(q);
      if (others) {
        await others.catch(() => undefined);
        continue;
      }
      const tail = kept.get(q);
      if (tail && tail.from <= from && tail.to >= to) {
        keep(tail, tail.size);
        return tail;
      }
      const work = extend(q, from, to).finally(() => underWay.delete(q));
      underWay.set(q, work);
      return work;
    }
  }

  return { read };
}
