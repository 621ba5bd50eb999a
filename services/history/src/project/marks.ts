// The marks: how far each partition is folded into member documents. A mark that was true stays true, an old one only
// makes a tail longer; so readers share what was read up to a second ago.
import { conversationPartitions } from "@parley/protocol/partition";
import type { HistoryStore, Mark } from "../keep/store.ts";
import { laterMark } from "./advance.ts";
import { putForward } from "./forward.ts";

export interface Marks {
  /** `foldedPos` of partitions, as it was at most a second ago: what is read from now on has all of that. */
  folded(): Promise<(q: number) => number>;
  /** The mark of one partition as the store has it now. Those asked for in one turn are read together. */
  of(q: number): Promise<Mark>;
  /** Moves marks, forward only. */
  put(marks: ReadonlyMap<number, Mark>): Promise<void>;
}

const freshMs = 1_000;
const none: Mark = { foldedPos: 0, announcedPos: 0 };

export function createMarks(store: Pick<HistoryStore, "marks">): Marks {
  // Never changed but replaced: a reader keeps the marks of before it read documents.
  let known: ReadonlyMap<number, Mark> = new Map();
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;
  let gathering: Promise<void> | undefined;

  function learn(marks: Iterable<[key: string, mark: Mark]>): void {
    const now = new Map(known);
    for (const [key, mark] of marks) now.set(Number(key), laterMark(now.get(Number(key)) ?? none, mark));
    known = now;
  }

  async function readAll(): Promise<void> {
    const startedAt = performance.now();
    const marks = await store.marks.getMany(conversationPartitions);
    learn([...marks].map(([key, { doc }]) => [key, doc]));
    readAt = startedAt;
  }

  return {
    async folded() {
      if (performance.now() - readAt >= freshMs) {
        reading ??= readAll().finally(() => {
          reading = undefined;
        });
        await reading;
      }
      const now = known;
      return (q) => now.get(q)?.foldedPos ?? 0;
    },
    async of(q) {
      gathering ??= new Promise((resolve) => setImmediate(resolve)).then(() => {
        gathering = undefined;
        return readAll();
      });
      await gathering;
      return known.get(q) ?? none;
    },
    async put(marks) {
      const entries = [...marks].map(([q, doc]) => ({ key: String(q), doc }));
      learn(await putForward(store.marks, entries, laterMark));
    },
  };
}
