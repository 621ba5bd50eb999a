// Copies and compares blobs: both ends are listed in the order of their ids and walked side by side, whatever their number.
import type { KeptBlob } from "../blobs/blobs.ts";
import { each } from "../each.ts";
import { StoreError } from "../store-error.ts";
import type { BlobPair } from "./blob-ends.ts";
import { type Difference, digestOfAll } from "./compare.ts";

/** Told after every file. */
export type TellBlobs = (blobs: number, bytes: number) => void;

const pageBlobs = 100;
const blobsAtOnce = 4;

/** Puts into TO what it lacks and removes what FROM no longer has; `tell` hears of all that FROM has. */
export async function copyBlobs(pair: BlobPair, tell: TellBlobs): Promise<void> {
  const missing: string[] = [];
  const copyMissing = () => each(missing.splice(0), blobsAtOnce, (id) => copyOne(pair, id, tell));
  for await (const { id, from, to } of sideBySide(pair)) {
    if (from === undefined) await pair.to.remove(id);
    else if (from.size === to?.size) tell(1, from.size);
    else if (missing.push(id) >= pageBlobs) await copyMissing();
  }
  await copyMissing();
}

/** By id and size: each blob's bytes were confirmed when it was put. */
export async function compareBlobs({ service, from, to }: BlobPair, tell: TellBlobs): Promise<Difference[]> {
  const [left, right] = await Promise.all([
    digestOfAll(described(from.list(), tell)),
    digestOfAll(described(to.list(), () => {})),
  ]);
  const same = left.count === right.count && left.digest === right.digest;
  return same ? [] : [{ service, of: "files", from: left, to: right }];
}

async function copyOne({ from, to }: BlobPair, id: string, tell: TellBlobs): Promise<void> {
  const bytes = await from.open(id);
  // Removed since it was listed.
  if (bytes === undefined) return;
  try {
    const { size } = await to.restore(id, bytes);
    tell(1, size);
  } catch (error) {
    bytes.destroy();
    if (!(error instanceof StoreError)) throw error;
    throw new StoreError(error.code, `file ${id}: ${error.message}`, { cause: error, details: error.details });
  }
}

type Sides = { id: string; from: KeptBlob | undefined; to: KeptBlob | undefined };

async function* sideBySide({ from, to }: BlobPair): AsyncGenerator<Sides> {
  const [left, right] = [from.list()[Symbol.asyncIterator](), to.list()[Symbol.asyncIterator]()];
  const next = async (side: AsyncIterator<KeptBlob>) => (await side.next()).value as KeptBlob | undefined;
  let [one, other] = [await next(left), await next(right)];
  while (one || other) {
    const first = !other || (one && one.id <= other.id) ? one! : other;
    const [isLeft, isRight] = [one?.id === first.id, other?.id === first.id];
    yield { id: first.id, from: isLeft ? one : undefined, to: isRight ? other : undefined };
    if (isLeft) one = await next(left);
    if (isRight) other = await next(right);
  }
}

async function* described(blobs: AsyncIterable<KeptBlob>, tell: TellBlobs): AsyncGenerator<string> {
  for await (const { id, size } of blobs) {
    yield `${id} ${size}`;
    tell(1, size);
  }
}
