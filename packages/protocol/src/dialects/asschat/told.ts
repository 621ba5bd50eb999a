// What a device was told of each channel, and has acknowledged: kept as marks, so that it is known wherever the device comes next.
import { parseMark } from "../../trees.ts";
import type { Marks } from "../dialect.ts";

/** Of one conversation. */
export interface Told {
  /** seq of the last message or event that a notification tells of; 0: none */
  told: number;
  /** up to here all are acknowledged */
  acked: number;
  /** the message before which it was told that there is a channel */
  first: number;
  /** seq → the parts of it that are not acknowledged */
  open: Map<number, Set<number>>;
  /** from here on there may be others, which were said before and are read when they are said again */
  unread: number;
  /** those that were said on the connection that began at `saidSince` */
  said: Set<number>;
  saidSince: number;
}

export interface ToldMarks {
  /** Reads what is kept, once. Rejects with `unavailable`. */
  load(): Promise<void>;
  isLoaded(): boolean;
  /** Conversations that the device was told of, or made. */
  all(): Iterable<readonly [conv: string, told: Told]>;
  of(conv: string): Told;
  /** The device made the conversation, in which nothing is said yet. */
  made(conv: string): void;
  /** Before it is said. */
  tell(conv: string, seq: number, isFirst: boolean): void;
  /** So many notifications tell of it, and are not acknowledged. */
  open(conv: string, seq: number, count: number): void;
  acknowledged(conv: string, seq: number, part: number): void;
  /** Notes that all are acknowledged before the first that is not. */
  settle(conv: string): void;
}

const marks = { told: "told", acked: "acked", first: "first", made: "made" } as const;
const openMax = 1_000;

/** No seq. */
export const none: number = Number.POSITIVE_INFINITY;

export function openTold(kept: Marks): ToldMarks {
  const convs = new Map<string, Told>();
  let loading: Promise<void> | undefined;
  let loaded = false;

  function of(conv: string): Told {
    const known = convs.get(conv);
    if (known) return known;
    const one = { told: 0, acked: 0, first: 0, open: new Map(), unread: none, said: new Set<number>(), saidSince: 0 };
    convs.set(conv, one);
    return one;
  }

  async function read(): Promise<void> {
    for (const [key, seq] of await kept.read()) {
      const { mark = "", conv = "" } = parseMark(key) ?? {};
      if (mark === marks.told || mark === marks.acked || mark === marks.first) of(conv)[mark] = seq;
      else if (mark === marks.made) of(conv);
    }
    for (const one of convs.values()) if (one.told > one.acked) one.unread = one.acked + 1;
    loaded = true;
  }

  function settle(conv: string): void {
    const one = of(conv);
    const acked = Math.min(one.told, Math.min(one.unread, ...one.open.keys()) - 1);
    if (acked <= one.acked) return;
    one.acked = acked;
    kept.move(marks.acked, conv, acked);
    if (acked === one.told) one.said.clear();
  }

  return {
    load() {
      loading ??= read().catch((error: unknown) => {
        loading = undefined;
        throw error;
      });
      return loading;
    },
    isLoaded: () => loaded,
    all: () => convs,
    of,
    made(conv) {
      of(conv);
      kept.move(marks.made, conv, 0);
    },
    tell(conv, seq, isFirst) {
      const one = of(conv);
      // What came before is no news any more.
      if (one.open.size === 0 && one.acked >= one.told && one.acked < seq - 1) {
        one.acked = seq - 1;
        kept.move(marks.acked, conv, one.acked);
      }
      if (isFirst) {
        one.first = seq;
        kept.move(marks.first, conv, seq);
      }
      one.told = Math.max(one.told, seq);
      kept.move(marks.told, conv, one.told);
    },
    open(conv, seq, count) {
      const one = of(conv);
      one.open.set(seq, new Set(Array.from({ length: count }, (_, part) => part)));
      const [oldest = seq] = one.open.keys();
      if (one.open.size <= openMax) return;
      one.open.delete(oldest);
      one.said.delete(oldest);
      one.unread = Math.min(one.unread, oldest);
    },
    acknowledged(conv, seq, part) {
      const one = convs.get(conv);
      const parts = one?.open.get(seq);
      if (!one || !parts?.delete(part) || parts.size > 0) return;
      one.open.delete(seq);
      settle(conv);
    },
    settle,
  };
}
