// Removes attachments that were not sent within a day or that no message refers to any more, uploads that nobody finished, and
// bytes that no attachment has.
import type { FreedFile } from "@parley/protocol";
import { type Logger, type Pass, repeat } from "@parley/runtime";
import type { Blobs } from "@parley/store";
import type { History } from "../history.ts";
import type { ApiStore } from "../store.ts";
import { isUnused, removeAttachment, sweepLeaving, usedForMs } from "./leaving.ts";
import { countStored, type Stored } from "./stored.ts";
import { totalMs } from "./upload.ts";

export interface SweepParts {
  store: ApiStore;
  blobs: Blobs;
  history: Pick<History, "sentFiles" | "freedFiles">;
  counts: SweepCounts;
  /** marks a point where a test can end the process */
  pass: Pass;
}

/** `unsent` and `freed`: attachments; `unused`: blobs of nobody; `unfinished`: what was begun to be stored. */
export type Removal = "unsent" | "freed" | "unused" | "unfinished";

export interface SweepCounts {
  removed(why: Removal, count: number): void;
  stored(now: Stored): void;
}

const everyMs = 60 * 60_000;
const freedEveryMs = 60_000;
/** Files of messages that were not sent by then. */
export const unsentForMs = 24 * 60 * 60_000;
/** What was not finished by then. */
export const uploadLifeMs = 24 * 60 * 60_000;
/** Bytes of nobody. No upload takes as long, and none that comes in pieces, its end included. */
export const nobodysForMs = uploadLifeMs + totalMs;
/** Between the note that a message is emptied and its being so. */
const freedForMs = 60_000;
const pageDocuments = 200;

export interface Sweeping {
  close(): Promise<void>;
}

/** Sweeps now and every hour, and what emptied messages have left every minute; while history cannot be asked nothing is removed. */
export function startSweeping(
  parts: SweepParts,
  sweepUploads: (parts: SweepParts, nowMs: number, stopped: () => boolean) => Promise<void>,
  log: Logger,
): Sweeping {
  const failed = (err: unknown) => log.warn({ event: "attachments_not_swept", reason: String(err) });
  const every = (ms: number, work: (stopped: () => boolean) => Promise<void>) =>
    repeat(
      (stopped) => work(stopped).catch(failed),
      () => ms,
    );
  const turns = [
    every(everyMs, (stopped) => sweepUploads(parts, Date.now(), stopped)),
    every(everyMs, (stopped) => sweep(parts, Date.now(), stopped)),
    every(everyMs, (stopped) => count(parts, stopped)),
    every(freedEveryMs, (stopped) => sweepFreed(parts, Date.now(), stopped)),
  ];
  return {
    async close() {
      await Promise.all(turns.map((turn) => turn.stop()));
    },
  };
}

async function count({ store, counts }: SweepParts, stopped: () => boolean): Promise<void> {
  const stored = await countStored(store, stopped);
  if (!stopped()) counts.stored(stored);
}

/** `nowMs`: unix time. */
export async function sweep(parts: SweepParts, nowMs: number, stopped: () => boolean = () => false): Promise<void> {
  await sweepLeaving(parts, nowMs, stopped);
  await sweepUnsent(parts, nowMs, stopped);
  if (stopped()) return;
  const inUse = async (ids: readonly string[]) => {
    const kept = await Promise.all(ids.map(async (id) => ((await isUnused(parts, id, nowMs)) ? [] : [id])));
    return new Set(kept.flat());
  };
  const swept = await parts.blobs.sweep({ before: nowMs - nobodysForMs, inUse });
  parts.counts.removed("unused", swept.blobs);
  parts.counts.removed("unfinished", swept.partial);
}

async function sweepUnsent(parts: SweepParts, nowMs: number, stopped: () => boolean) {
  const { store, history } = parts;
  const { attachments } = store;
  while (!stopped()) {
    const before = nowMs - unsentForMs;
    const { items } = await attachments.find({ index: "unsent", before, limit: pageDocuments });
    if (items.length === 0) return;
    const ids = items.map(({ key }) => key);
    // Before history is asked: one that is sent meanwhile is found there.
    const toBeSent = await scheduledFiles(store, ids);
    const { sent, taken } = await history.sentFiles(ids);
    const areSent = new Set(sent);
    for (const attachment of items.slice(0, taken)) {
      const { unsentSince: _, ...rest } = attachment.doc;
      if (toBeSent.has(attachment.key))
        await attachments.update(attachment.key, { ...rest, unsentSince: nowMs }, attachment.version);
      else if (areSent.has(attachment.key)) await attachments.update(attachment.key, rest, attachment.version);
      else if (await removeAttachment(parts, attachment, nowMs)) parts.counts.removed("unsent", 1);
    }
  }
}

/** Removes what was sent, and stands in no message any more: recalled, erased, expired. `nowMs`: unix time. */
export async function sweepFreed(
  parts: SweepParts,
  nowMs: number,
  stopped: () => boolean = () => false,
): Promise<void> {
  const { store, history, pass } = parts;
  const before = nowMs - freedForMs;
  let removed: readonly FreedFile[] = [];
  for (let page: string | null | undefined; page !== null && !stopped(); ) {
    const { files, next } = await history.freedFiles({ removed, before, ...(page === undefined ? {} : { page }) });
    const ids = files.map(({ file }) => file);
    const [kept, toBeSent] = await Promise.all([store.attachments.getMany(ids), scheduledFiles(store, ids)]);
    // What was sent while these were looked for is found now.
    const areSent = await sentAgain(history, ids);
    // Of those uploaded just now the bytes could not go with them.
    const isYoung = ({ file }: FreedFile) => (kept.get(file)?.doc.createdAt ?? 0) > nowMs - usedForMs;
    removed = files.filter((file) => !isYoung(file) && !toBeSent.has(file.file) && !areSent.has(file.file));
    for (const { file } of removed) {
      const attachment = kept.get(file);
      if (attachment && (await removeAttachment(parts, attachment, nowMs))) parts.counts.removed("freed", 1);
    }
    page = next;
    if (removed.length > 0) pass("before-freed-told");
  }
  if (removed.length > 0) await history.freedFiles({ removed, before });
}

/** Those that a message refers to, or may. */
async function sentAgain(history: SweepParts["history"], files: readonly string[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (let rest = files; rest.length > 0; ) {
    const { sent, taken } = await history.sentFiles(rest);
    // Of those that it does not come to, nobody knows.
    for (const file of taken === 0 ? rest : sent) found.add(file);
    rest = taken === 0 ? [] : rest.slice(taken);
  }
  return found;
}

/** Those that a message refers to which is sent later. */
async function scheduledFiles({ scheduled }: ApiStore, files: readonly string[]): Promise<ReadonlySet<string>> {
  const found = await Promise.all(
    files.map(async (file) => (await scheduled.find({ index: "file", equals: [file], limit: 1 })).items.length > 0),
  );
  return new Set(files.filter((_, index) => found[index]));
}
