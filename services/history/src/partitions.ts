// The conversation partitions this replica holds: taken over by folding the rest of the log, given up without losing a reply.

import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import { AppError, type StoredReferences, storedSubject } from "@parley/protocol";
import { conversationPartitionCount } from "@parley/protocol/partition";
import type { Logger, ReleaseReason } from "@parley/runtime";
import type { LogEntry } from "@parley/store";
import { type Announcer, startAnnouncer } from "./announce.ts";
import type { Shelf } from "./conversation.ts";
import { foldEntry } from "./members.ts";
import type { Projection } from "./projection.ts";
import type { HistoryStore, Mark } from "./store.ts";
import { closeWriter, createWriter, type Writer, type WriterParts } from "./writer.ts";

export interface Partitions {
  /**
   * Folds what a process that died had committed and not folded: lists and sync read member documents before any lease is
   * ours. Only for the one owner of a store: another holder's documents are newer than what is folded here.
   */
  catchUp(): Promise<void>;
  acquire(q: number): Promise<void>;
  release(q: number, reason: ReleaseReason): Promise<void>;
  writer(q: number): Writer | undefined;
  /** Puts marks of how far each partition is folded and announced. */
  mark(): Promise<void>;
  /** announced entries still missing in JetStream, over all partitions */
  backlog(): number;
}

export interface PartitionParts extends Omit<WriterParts, "committed" | "foldMissed"> {
  store: HistoryStore;
  shelf: Shelf;
  projection: Projection;
  jetstream: JetStreamClient;
  manager: JetStreamManager;
  streamName: string;
  announceMs: number;
  /** told of membership entries after their commit */
  membersChanged(entry: LogEntry): void;
  log: Logger;
}

const pageSize = 500;

export function createPartitions(parts: PartitionParts): Partitions {
  const { store, shelf, projection, trouble, log } = parts;
  const held = new Map<number, { writer: Writer; announcer: Announcer; marked: Mark }>();

  async function catchUp(): Promise<void> {
    for (let q = 0; q < conversationPartitionCount; q++) {
      const [{ pos }, kept] = await Promise.all([store.log.last(q), store.marks.get(String(q))]);
      await foldFrom(parts, q, kept?.doc.foldedPos ?? 0, pos);
    }
    await projection.flush();
  }

  async function acquire(q: number): Promise<void> {
    const [{ pos }, kept] = await Promise.all([store.log.last(q), store.marks.get(String(q))]);
    const marked = kept?.doc ?? { foldedPos: 0, announcedPos: 0 };
    shelf.drop(q);
    await foldFrom(parts, q, marked.foldedPos, pos);
    const announcedPos = Math.max(marked.announcedPos, await lastAnnounced(parts, q));
    const announcer = startAnnouncer({
      q,
      from: Math.min(announcedPos, pos),
      known: pos,
      jetstream: parts.jetstream,
      store: store.log,
      delayMs: parts.announceMs,
      log,
    });
    const committed = (entries: readonly LogEntry[]) => {
      announcer.add(entries);
      for (const entry of entries) if (entry.event) parts.membersChanged(entry);
    };
    const foldMissed: WriterParts["foldMissed"] = (after, last) => foldFrom(parts, q, after, last, committed);
    held.set(q, { writer: createWriter(q, pos, { ...parts, committed, foldMissed }), announcer, marked });
  }

  async function release(q: number, reason: ReleaseReason): Promise<void> {
    const partition = held.get(q);
    if (!partition) return;
    await closeWriter(partition.writer, reason === "lost");
    await partition.announcer.close();
    held.delete(q);
    // Without a mark whoever takes over folds more of the log: the partition is free all the same.
    const marked = reason === "lost" ? undefined : projection.flush().then(() => mark([[q, partition]]));
    await marked?.catch((error: unknown) => trouble.failed("mark_failed", error));
    shelf.drop(q);
  }

  // Only after a flush: everything up to the writer's `pos` is then in the member documents.
  async function mark(partitions = [...held]): Promise<void> {
    const folded = partitions.map(([q, { writer, announcer, marked }]) => {
      const now = { foldedPos: writer.pos, announcedPos: Math.max(announcer.pos, marked.announcedPos) };
      return { key: String(q), doc: now, marked };
    });
    const moved = folded.filter(
      ({ doc, marked }) => doc.foldedPos > marked.foldedPos || doc.announcedPos > marked.announcedPos,
    );
    if (moved.length === 0) return;
    await projection.flush();
    await store.marks.put(moved.map(({ key, doc }) => ({ key, doc })));
    trouble.over("mark_failed");
    for (const { doc, marked } of moved) Object.assign(marked, doc);
  }

  return {
    catchUp,
    acquire,
    release,
    writer: (q) => held.get(q)?.writer,
    mark: () => mark(),
    backlog: () => [...held.values()].reduce((sum, { writer, announcer }) => sum + writer.pos - announcer.pos, 0),
  };
}

// The entries behind `foldedPos`, into the member documents.
async function foldFrom(
  { store, shelf, projection }: PartitionParts,
  q: number,
  foldedPos: number,
  lastPos: number,
  tell: (entries: readonly LogEntry[]) => void = () => undefined,
): Promise<void> {
  for (let after = foldedPos; after < lastPos; ) {
    const page = await store.log.follow(q, after, pageSize);
    if (page.length === 0) return;
    for (const entry of page) {
      const conversation = await shelf.load(entry.conv);
      projection.touch(foldEntry(conversation, entry));
      if (entry.event?.name !== undefined) projection.touchInfo(conversation);
    }
    tell(page);
    after = page.at(-1)?.pos ?? lastPos;
  }
}

// The last reference JetStream has of a partition; 0 when the stream is new or was deleted.
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
