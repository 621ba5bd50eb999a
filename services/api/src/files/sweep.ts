// Removes attachments that were uploaded and not sent within a day, uploads that nobody finished, and bytes that no attachment has.
import type { Logger } from "@parley/runtime";
import type { Blobs } from "@parley/store";
import type { History } from "../history.ts";
import type { ApiStore } from "../store.ts";
import { removeUpload, uploadLifeMs } from "./resumable/uploads.ts";
import { totalMs } from "./upload.ts";

export interface SweepParts {
  store: ApiStore;
  blobs: Blobs;
  history: Pick<History, "sentFiles">;
}

const everyMs = 60 * 60_000;
/** Files of messages that were not sent by then. */
export const unsentForMs = 24 * 60 * 60_000;
/** Bytes of nobody. No upload takes as long, and none that comes in pieces, its end included. */
export const nobodysForMs = uploadLifeMs + totalMs;
/** Bytes that an upload has found are given to it by then. */
const usedForMs = 60 * 60_000;
const pageDocuments = 200;

/** Sweeps now and every hour; while history cannot be asked nothing is removed. */
export function startSweeping(parts: SweepParts, log: Logger): { close(): Promise<void> } {
  let closed = false;
  let running: Promise<void> = Promise.resolve();
  const turn = () => {
    running = sweep(parts, Date.now(), () => closed).catch((err: unknown) =>
      log.warn({ event: "attachments_not_swept", reason: String(err) }),
    );
  };
  turn();
  const timer = setInterval(turn, everyMs);
  return {
    async close() {
      closed = true;
      clearInterval(timer);
      await running;
    },
  };
}

/** `nowMs`: unix time. */
export async function sweep(parts: SweepParts, nowMs: number, stopped: () => boolean = () => false): Promise<void> {
  await sweepUnsent(parts, nowMs, stopped);
  await sweepUnfinished(parts, nowMs, stopped);
  if (stopped()) return;
  const inUse = async (ids: readonly string[]) => {
    const kept = await Promise.all(ids.map(async (id) => ((await isUnused(parts.store, id, nowMs)) ? [] : [id])));
    return new Set(kept.flat());
  };
  await parts.blobs.sweep({ before: nowMs - nobodysForMs, inUse });
}

async function sweepUnsent({ store, blobs, history }: SweepParts, nowMs: number, stopped: () => boolean) {
  const { attachments } = store;
  while (!stopped()) {
    const before = nowMs - unsentForMs;
    const { items } = await attachments.find({ index: "unsent", before, limit: pageDocuments });
    if (items.length === 0) return;
    const sent = new Set(await history.sentFiles(items.map(({ key }) => key)));
    for (const { key, version, doc } of items) {
      const { unsentSince: _, ...rest } = doc;
      if (sent.has(key)) await attachments.update(key, rest, version);
      else if (await attachments.remove(key, version))
        if (await isUnused(store, doc.blob, nowMs)) await blobs.remove(doc.blob);
    }
  }
}

async function sweepUnfinished(parts: SweepParts, nowMs: number, stopped: () => boolean): Promise<void> {
  while (!stopped()) {
    const { items } = await parts.store.uploads.find({ index: "expires", before: nowMs, limit: pageDocuments });
    if (items.length === 0) return;
    for (const upload of items) await removeUpload(parts, upload);
  }
}

/** No attachment has the blob, and none will: it is not found by its hash any more. */
async function isUnused({ attachments, contents }: ApiStore, blob: string, nowMs: number): Promise<boolean> {
  const has = { equals: [blob], limit: 1 };
  if ((await attachments.find({ index: "blob", ...has })).items.length > 0) return false;
  const [known] = (await contents.find({ index: "blob", ...has })).items;
  if (!known) return true;
  // An upload that has just found these bytes is about to have them; one that finds them now changes the version.
  if (known.doc.usedAt > nowMs - usedForMs) return false;
  return contents.remove(known.key, known.version);
}
