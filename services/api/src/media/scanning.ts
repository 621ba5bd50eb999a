// Has clamd look at what was uploaded. Until it has answered others may not have the file; what is infected loses its bytes.
import type { Logger, Pass } from "@parley/runtime";
import type { Blobs, Versioned } from "@parley/store";
import type { ApiStore, ContentDoc, Scan } from "../store.ts";
import { ClamdAway, scanBytes } from "./clamd.ts";
import { leaseMs, type Queue, startQueue } from "./queue.ts";

interface ScanningParts {
  store: Pick<ApiStore, "contents">;
  blobs: Blobs;
  /** of clamd */
  url: string;
  /** a larger file is not scanned */
  bytesMax: number;
  /** What was found in these bytes is known. */
  tell(content: ContentDoc): Promise<void>;
  /** marks a point where a test can end the process */
  pass: Pass;
  log: Logger;
}

const scansAtOnce = 4;
const awayMs = { first: 1_000, most: 30_000 };
const againMs = { first: 10_000, most: 10 * 60_000 };

export function startScanning({ isAlone, ...parts }: ScanningParts & { isAlone: boolean }): Queue {
  const { store, log } = parts;
  let awayFor = 0;
  return startQueue({
    ...{ store, log, isAlone, index: "scan", atOnce: scansAtOnce },
    async work(item, closing) {
      try {
        await scan(parts, item, closing);
        awayFor = 0;
        return undefined;
      } catch (error) {
        if (!(error instanceof ClamdAway)) throw error;
        log.warn({ event: "clamd_away", reason: String(error.cause) });
        awayFor = Math.min(awayMs.most, awayFor === 0 ? awayMs.first : awayFor * 2);
        return awayFor;
      }
    },
  });
}

async function scan(parts: ScanningParts, { key, doc, version }: Versioned<ContentDoc>, closing: AbortSignal) {
  if (!doc.scan) return;
  // Its bytes were about to be removed.
  if (doc.scan.state === "infected") return removeInfected(parts, key, doc);
  const taken: Scan = { ...doc.scan, dueAt: Date.now() + leaseMs, tries: doc.scan.tries + 1 };
  // Another one has it.
  if (!(await parts.store.contents.update(key, { ...doc, scan: taken }, version))) return;
  const { size, tries } = taken;
  try {
    const state = await stateOf(parts, doc.blob, size, closing);
    const isInfected = state === "infected";
    const found = await change(parts, key, taken, {
      ...{ state, size, tries },
      ...(isInfected ? { dueAt: Date.now() } : {}),
    });
    if (!found) return;
    if (!isInfected) return parts.tell(found);
    parts.log.warn({ event: "file_infected", sha256: key });
    await removeInfected(parts, key, found);
  } catch (error) {
    const isIts = !(error instanceof ClamdAway || closing.aborted);
    const again = isIts ? Math.min(againMs.most, againMs.first * 2 ** Math.min(tries, 10)) : 0;
    await change(parts, key, taken, { ...taken, tries: isIts ? tries : tries - 1, dueAt: Date.now() + again });
    throw error;
  }
}

async function stateOf({ blobs, url, bytesMax }: ScanningParts, blob: string, size: number, closing: AbortSignal) {
  if (size > bytesMax) return "unscanned";
  const bytes = await blobs.open(blob);
  // They have just been removed.
  if (!bytes) return "unscanned";
  try {
    return (await scanBytes(url, bytes, closing)).state;
  } finally {
    bytes.destroy();
  }
}

// What the document says then; undefined: it is not ours any more.
async function change({ store }: ScanningParts, key: string, taken: Scan, scan: Scan): Promise<ContentDoc | undefined> {
  for (;;) {
    const kept = await store.contents.get(key);
    const { state, tries } = kept?.doc.scan ?? {};
    if (!kept || state !== "pending" || tries !== taken.tries) return undefined;
    const doc = { ...kept.doc, scan };
    if (await store.contents.update(key, doc, kept.version)) return doc;
  }
}

// The document stays as long as an attachment has these bytes, so that they are refused when they come again.
async function removeInfected(
  { store, blobs, tell, pass }: ScanningParts,
  key: string,
  { blob }: ContentDoc,
): Promise<void> {
  pass("before-infected-removed");
  await blobs.remove(blob);
  for (;;) {
    const kept = await store.contents.get(key);
    if (kept?.doc.scan?.dueAt === undefined) return;
    const { looked, scan, ...rest } = kept.doc;
    const { dueAt: _, ...found } = scan!;
    const doc = { ...rest, scan: found };
    if (!(await store.contents.update(key, doc, kept.version))) continue;
    if (looked?.thumbnail) await blobs.remove(looked.thumbnail.blob);
    return tell(doc);
  }
}
