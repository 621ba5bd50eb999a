// Looks at what was uploaded, some files at a time: what waits is in the store, so that whoever dies, another one does it.
import { AppError } from "@parley/protocol";
import type { Logger, Pass } from "@parley/runtime";
import { type Blobs, StoreError, type Versioned } from "@parley/store";
import { inTime } from "../in-time.ts";
import type { ApiStore, ContentDoc, LookedAt } from "../store.ts";
import type { Made, Outcome } from "./made.ts";
import { lookedAtBytes, type MakeLimits, make } from "./make.ts";
import { leaseMs, type Queue, type QueueParts, startQueue } from "./queue.ts";
import { removeStaged, stage } from "./staged.ts";
import { keepOutcome, type Taken } from "./taken.ts";

interface LookingParts {
  store: Pick<ApiStore, "contents">;
  blobs: Blobs;
  limits: Omit<MakeLimits, "closing"> & {
    /** in which the bytes have to come (ms) */
    readMs: number;
  };
  /** What was made of these bytes is known. */
  tell(content: ContentDoc): Promise<void>;
  /** marks a point where a test can end the process */
  pass: Pass;
  log: Logger;
}

const triesMax = 3;
/** After the place of files did not answer. */
const awayMs = 10_000;

export function startLooking({
  isAlone,
  atOnce,
  ...parts
}: LookingParts & Pick<QueueParts, "isAlone" | "atOnce">): Queue {
  const { store, log } = parts;
  const work: QueueParts["work"] = async (item, closing) => {
    await look(parts, item, closing);
    return undefined;
  };
  removeStaged().catch((error: unknown) => log.warn({ event: "temporary_files_not_removed", reason: String(error) }));
  return startQueue({ store, index: "due", atOnce, isAlone, work, log });
}

async function look(parts: LookingParts, { key, doc, version }: Versioned<ContentDoc>, closing: AbortSignal) {
  const { store } = parts;
  const { blob, looked } = doc;
  if (!looked) return;
  const looking: LookedAt = { ...looked, dueAt: Date.now() + leaseMs, tries: looked.tries + 1 };
  // Another one has it.
  if (!(await store.contents.update(key, { ...doc, looked: looking }, version))) return;
  const taken: Taken = { key, blob, task: "looked", tries: looking.tries };
  try {
    const outcome = await makeOf(parts, doc, looking, closing);
    parts.pass("before-thumbnail");
    await keep(parts, taken, await lookedAtOf(parts, looking, outcome));
  } catch (error) {
    // That the place of files is away, or this process ends, is not the file's doing.
    const dueAt = Date.now() + (closing.aborted ? 0 : awayMs);
    await keepOutcome(store, taken, { looked: { ...looked, dueAt } });
    throw error;
  }
}

async function makeOf(parts: LookingParts, { blob }: ContentDoc, looked: LookedAt, closing: AbortSignal) {
  const failed: Outcome = { failed: "too_slow" };
  // Whoever had it the last times died with it.
  if (looked.tries > triesMax) return failed;
  if (looked.size > lookedAtBytes) return { failed: "too_large" } satisfies Outcome;
  const file = await fileOf(parts, blob, closing);
  if ("again" in file || "failed" in file) return file;
  try {
    return await make(file, looked.type, { ...parts.limits, closing });
  } finally {
    await file.close();
  }
}

async function fileOf({ blobs, limits, pass }: LookingParts, blob: string, closing: AbortSignal) {
  const bytes = await blobs.open(blob);
  if (!bytes) return { failed: "unreadable" } satisfies Outcome;
  try {
    return await stage(inTime(bytes, { silenceMs: limits.readMs, totalMs: limits.readMs, closing }), pass);
  } catch (error) {
    closing.throwIfAborted();
    // Its place began to send it, and did not end: the others come first.
    if (error instanceof AppError || error instanceof StoreError) return { again: "too_slow" } satisfies Outcome;
    throw error;
  } finally {
    bytes.destroy();
  }
}

async function lookedAtOf({ blobs }: LookingParts, taken: LookedAt, outcome: Outcome): Promise<LookedAt> {
  const { dueAt: _, ...rest } = taken;
  if ("again" in outcome)
    return taken.tries < triesMax
      ? { ...taken, dueAt: Date.now() + 10_000 * 2 ** taken.tries }
      : { ...rest, state: "failed", reason: outcome.again };
  if ("failed" in outcome) return { ...rest, state: "failed", reason: outcome.failed };
  const { thumbnail, ...made } = outcome.made;
  return { ...rest, state: "ready", made, ...(thumbnail && { thumbnail: await keepThumbnail(blobs, thumbnail) }) };
}

// One that nobody comes to refer to is swept.
async function keepThumbnail(blobs: Blobs, { bytes, ...thumbnail }: NonNullable<Made["thumbnail"]>) {
  async function* whole() {
    yield bytes;
  }
  const { id, size } = await blobs.put(whole());
  return { ...thumbnail, blob: id, size };
}

async function keep({ store, blobs, tell, pass }: LookingParts, taken: Taken, looked: LookedAt): Promise<void> {
  const kept = await keepOutcome(store, taken, { looked });
  if (!kept) {
    if (looked.thumbnail) await blobs.remove(looked.thumbnail.blob);
    return;
  }
  pass("after-thumbnail");
  if (looked.state !== "pending") await tell(kept);
}
