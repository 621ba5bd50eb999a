// The conversation partitions this replica holds: taken over by folding the rest of the log, given up without losing a reply.

import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import { AppError, type MembersChanged, type StoredReferences, storedSubject } from "@parley/protocol";
import { type Logger, openTurns, type ReleaseReason } from "@parley/runtime";
import type { LogEntry } from "@parley/store";
import { type Announcer, startAnnouncer } from "../announce/announcer.ts";
import { catchUp } from "../fold/catch-up.ts";
import type { Tails } from "../fold/tails.ts";
import type { HistoryStore, Mark } from "../keep/store.ts";
import type { Marks } from "../project/marks.ts";
import type { Projection } from "../project/projection.ts";
import type { Shelf } from "./conversation.ts";
import { closeWriter, createWriter, type Writer, type WriterParts } from "./writer.ts";

export interface Partitions {
  /**
   * Folds what the holder before left. Everything that reads need of it is in the store when this resolves. A few at a
   * time; after `stop` nothing is taken over any more.
   */
  acquire(q: number): Promise<void>;
  stop(): void;
  /** What can be done before is done before nobody serves the partition; "lost" leaves the rest to the next holder. */
  release(q: number, reason: ReleaseReason): Promise<void>;
  writer(q: number): Writer | undefined;
  /** Those that are at work. */
  busy(): Writer[];
  /** Puts marks of how far each partition is folded and announced. */
  mark(): Promise<void>;
  /** announced entries still missing in JetStream, over all partitions */
  backlog(): number;
  /** Ends all announcements, also of what is held still; waits for those under way. */
  close(): Promise<void>;
}

export interface PartitionParts extends Omit<WriterParts, "committed" | "foldMissed"> {
  store: HistoryStore;
  shelf: Shelf;
  projection: Projection;
  marks: Marks;
  tails: Tails;
  jetstream: JetStreamClient;
  manager: JetStreamManager;
  streamName: string;
  announceMs: number;
  /** before the first partition is held: what was told meanwhile of users this replica was not told */
  lookAgain(): Promise<void>;
  /** told of what is stored after its commit, in the order of `pos` */
  stored(q: number, entries: readonly LogEntry[]): void;
  /** told of membership changes after their commit */
  membersChanged(q: number, changed: MembersChanged): void;
  log: Logger;
}

interface Partition {
  writer: Writer;
  announcer: Announcer;
  /** the mark as it was last put or read */
  marked: Mark;
}

/**
 * What is taken over at once. A lost replica leaves half of all partitions: asked for all of them together, a slow store
 * would answer none in time, and they would go from one replica to the other for ever.
 */
const acquiredAtOnce = 8;

export function createPartitions(parts: PartitionParts): Partitions {
  const { store, shelf, projection, marks, trouble } = parts;
  const held = new Map<number, Partition>();
  const ending = new Set<Promise<void>>();

  async function takeOver(q: number): Promise<void> {
    const [{ pos }, mark] = await Promise.all([store.log.last(q), marks.of(q), held.size === 0 && parts.lookAgain()]);
    const marked = { ...mark };
    shelf.drop(q);
    const caught = await catchUp(parts, q, marked.foldedPos, pos);
    await projection.put(caught);
    held.set(q, begin(q, pos, marked));
    for (const changed of caught.events) parts.membersChanged(q, changed);
  }

  function begin(q: number, pos: number, marked: Mark): Partition {
    const announcer = startAnnouncer({
      ...parts,
      q,
      from: Math.min(marked.announcedPos, pos),
      known: pos,
      locate: () => lastAnnounced(parts, q),
      store: store.log,
      delayMs: parts.announceMs,
    });
    const committed: WriterParts["committed"] = (entries) => {
      announcer.add(entries);
      parts.stored(q, entries);
      for (const { conv, type, memberSeq } of entries)
        if (type === "event") parts.membersChanged(q, { conv, memberSeq });
    };
    const foldMissed: WriterParts["foldMissed"] = async (after, last) => {
      const caught = await catchUp(parts, q, after, last);
      announcer.upTo(last);
      for (const changed of caught.events) parts.membersChanged(q, changed);
      return caught;
    };
    return { writer: createWriter(q, pos, { ...parts, committed, foldMissed }), announcer, marked };
  }

  async function release(q: number, reason: ReleaseReason): Promise<void> {
    const partition = held.get(q);
    if (!partition) return;
    // Without a mark whoever takes over folds more of the log: the partition is free all the same.
    if (reason !== "lost")
      await mark([[q, partition]], q).catch((error: unknown) => trouble.failed("mark_failed", error));
    await closeWriter(partition.writer, reason === "lost");
    held.delete(q);
    shelf.drop(q);
    // Both holders may announce for a moment: at least once is what is promised.
    const ended = partition.announcer.close().finally(() => ending.delete(ended));
    ending.add(ended);
  }

  async function mark(partitions: Iterable<[number, Partition]> = held, q?: number): Promise<void> {
    const moved = new Map<number, Mark>();
    for (const [q, { writer, announcer, marked }] of partitions) {
      const now = { foldedPos: writer.pos, announcedPos: Math.max(announcer.pos, marked.announcedPos) };
      if (now.foldedPos > marked.foldedPos || now.announcedPos > marked.announcedPos) moved.set(q, now);
    }
    if (moved.size === 0) return;
    // Everything up to the writers' `pos` is in the member documents then.
    await projection.flush(q);
    await marks.put(moved);
    trouble.over("mark_failed");
    for (const [q, now] of moved) Object.assign(held.get(q)?.marked ?? {}, now);
  }

  return {
    ...pace(takeOver),
    release,
    writer: (q) => held.get(q)?.writer,
    busy: () => [...held.values()].map(({ writer }) => writer).filter(({ working }) => working !== undefined),
    mark: () => mark(),
    backlog: () => [...held.values()].reduce((sum, { writer, announcer }) => sum + writer.pos - announcer.pos, 0),
    async close() {
      await Promise.all([...ending, ...[...held.values()].map(({ announcer }) => announcer.close())]);
    },
  };
}

function pace(takeOver: (q: number) => Promise<void>): Pick<Partitions, "acquire" | "stop"> {
  const turns = openTurns({ atOnce: acquiredAtOnce });
  let stopped = false;
  return {
    async acquire(q) {
      const done = await turns.take();
      try {
        if (!stopped) await takeOver(q);
      } finally {
        done?.();
      }
    },
    stop() {
      stopped = true;
    },
  };
}

// The last reference JetStream has of a partition; 0 when the stream is new or was deleted. What goes on to other rooms is
// there twice, and ahead of the batch that it is of.
async function lastAnnounced({ manager, streamName }: PartitionParts, q: number): Promise<number> {
  const positions = await Promise.all(
    (["mqtt", "origin"] as const).map(async (kind) => {
      try {
        const message = await manager.streams.getMessage(streamName, { last_by_subj: storedSubject(q, kind) });
        return message?.json<StoredReferences>().entries.at(-1)?.pos ?? 0;
      } catch (error) {
        if (/no message found|not found/i.test(String(error))) return 0;
        throw new AppError("unavailable", "JetStream does not answer", { cause: error });
      }
    }),
  );
  return Math.max(...positions);
}
