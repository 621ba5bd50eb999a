// Has clamd look at what was uploaded. Until it has answered others may not have the file; what is infected loses its bytes.
// Without a clamd nobody has to wait for it any more: what an earlier one left is said to be unscanned.
import type { Logger, Pass } from "@parley/runtime";
import type { Blobs, Versioned } from "@parley/store";
import { inTime } from "../in-time.ts";
import type { ApiStore, ContentDoc, Scan } from "../store.ts";
import { ClamdAway, scanBytes } from "./clamd.ts";
import { leaseMs, type Queue, startQueue } from "./queue.ts";
import { keepOutcome, type Taken } from "./taken.ts";

interface ScanningParts {
  store: Pick<ApiStore, "contents">;
  blobs: Blobs;
  /** of clamd; undefined: there is none any more */
  url: string | undefined;
  /** a larger file is not scanned */
  bytesMax: number;
  /** in which the bytes have to come and go (ms) */
  readMs: number;
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
    // What others have in hand, or put off, is theirs until then; what they take in later they scan.
    ...(parts.url === undefined ? { dueUntil: Date.now() + Math.max(leaseMs, againMs.most) } : {}),
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
  const { size, tries } = { ...doc.scan, tries: doc.scan.tries + 1 };
  const scanning: Scan = { ...doc.scan, dueAt: Date.now() + leaseMs, tries };
  // Another one has it.
  if (!(await parts.store.contents.update(key, { ...doc, scan: scanning }, version))) return;
  const taken: Taken = { key, blob: doc.blob, task: "scan", tries };
  try {
    const state = await stateOf(parts, doc.blob, size, closing);
    const isInfected = state === "infected";
    const scan = { ...{ state, size, tries }, ...(isInfected ? { dueAt: Date.now() } : {}) };
    const found = await keepOutcome(parts.store, taken, { scan });
    if (!found) return;
    if (!isInfected) return parts.tell(found);
    parts.log.warn({ event: "file_infected", sha256: key });
    await removeInfected(parts, key, found);
  } catch (error) {
    const isIts = !(error instanceof ClamdAway || closing.aborted);
    const again = isIts ? Math.min(againMs.most, againMs.first * 2 ** Math.min(tries, 10)) : 0;
    const scan = { ...scanning, tries: isIts ? tries : tries - 1, dueAt: Date.now() + again };
    await keepOutcome(parts.store, taken, { scan });
    throw error;
  }
}

async function stateOf(
  { blobs, url, bytesMax, readMs }: ScanningParts,
  blob: string,
  size: number,
  closing: AbortSignal,
): Promise<Scan["state"]> {
  if (url === undefined || size > bytesMax) return "unscanned";
  const bytes = await blobs.open(blob);
  // They have just been removed.
  if (!bytes) return "unscanned";
  try {
    const times = { silenceMs: readMs, totalMs: readMs, closing };
    return (await scanBytes(url, inTime(bytes, times), closing)).state;
  } finally {
    bytes.destroy();
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
    // Where they were uploaded again meanwhile, it is about others than these.
    const isIts = kept?.doc.blob === blob && kept.doc.scan?.state === "infected";
    if (!isIts || kept.doc.scan?.dueAt === undefined) return;
    const { looked, scan, ...rest } = kept.doc;
    const { dueAt: _, ...found } = scan;
    const doc = { ...rest, scan: found };
    // Before the document says that it is done: nobody comes back for it then.
    if (looked?.thumbnail) await blobs.remove(looked.thumbnail.blob);
    if (!(await store.contents.update(key, doc, kept.version))) continue;
    return tell(doc);
  }
}
