// Looks at what was uploaded, some files at a time: what waits is in the store, so that whoever dies, another one does it.
import type { Logger, Pass } from "@parley/runtime";
import type { Blobs, Versioned } from "@parley/store";
import type { ApiStore, ContentDoc, LookedAt } from "../store.ts";
import type { Made, Outcome } from "./made.ts";
import { lookedAtBytes, type MakeLimits, make } from "./make.ts";
import { leaseMs, type Queue, type QueueParts, startQueue } from "./queue.ts";
import { stage } from "./staged.ts";

interface LookingParts {
  store: Pick<ApiStore, "contents">;
  blobs: Blobs;
  limits: Omit<MakeLimits, "closing">;
  /** What was made of these bytes is known. */
  tell(content: ContentDoc): Promise<void>;
  /** marks a point where a test can end the process */
  pass: Pass;
  log: Logger;
}

const triesMax = 3;

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
  return startQueue({ store, index: "due", atOnce, isAlone, work, log });
}

async function look(parts: LookingParts, item: Versioned<ContentDoc>, closing: AbortSignal): Promise<void> {
  const { looked } = item.doc;
  if (!looked) return;
  const taken: LookedAt = { ...looked, dueAt: Date.now() + leaseMs, tries: looked.tries + 1 };
  // Another one has it.
  if (!(await parts.store.contents.update(item.key, { ...item.doc, looked: taken }, item.version))) return;
  const outcome = await makeOf(parts, item.doc, taken, closing);
  parts.pass("before-thumbnail");
  await keep(parts, item.key, await lookedAtOf(parts, taken, outcome));
}

async function makeOf({ blobs, limits }: LookingParts, { blob }: ContentDoc, looked: LookedAt, closing: AbortSignal) {
  const failed: Outcome = { failed: "too_slow" };
  // Whoever had it the last times died with it.
  if (looked.tries > triesMax) return failed;
  if (looked.size > lookedAtBytes) return { failed: "too_large" } satisfies Outcome;
  const bytes = await blobs.open(blob);
  if (!bytes) return { failed: "unreadable" } satisfies Outcome;
  const file = await stage(bytes);
  try {
    return await make(file, looked.type, { ...limits, closing });
  } finally {
    await file.close();
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

async function keep({ store, blobs, tell, pass }: LookingParts, sha256: string, looked: LookedAt): Promise<void> {
  for (;;) {
    const kept = await store.contents.get(sha256);
    const isOurs = kept?.doc.looked?.state === "pending" && kept.doc.looked.tries === looked.tries;
    if (!kept || !isOurs) {
      if (looked.thumbnail) await blobs.remove(looked.thumbnail.blob);
      return;
    }
    const doc = { ...kept.doc, looked };
    if (!(await store.contents.update(sha256, doc, kept.version))) continue;
    pass("after-thumbnail");
    if (looked.state !== "pending") await tell(doc);
    return;
  }
}
