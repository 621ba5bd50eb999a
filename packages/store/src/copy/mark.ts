// The mark that a copy leaves in each service's part of its target: unfinished, no service may start on it.
import type { Collection, Documents } from "../documents.ts";
import { StoreError } from "../store-error.ts";

/** The one collection that is not copied. */
export const markCollection = "store_copy";
const key = "copy";

/** `from`: the source, as `identityOf` writes it. `doneAt`: unix ms, null while it is under way. */
export type CopyMark = { from: string; begunAt: number; doneAt: number | null };

export async function readMark(documents: Documents): Promise<CopyMark | undefined> {
  const stored = await documents.definitions();
  if (!stored.some(({ name }) => name === markCollection)) return undefined;
  return (await (await marks(documents)).get(key))?.doc;
}

export async function writeMark(documents: Documents, mark: CopyMark): Promise<void> {
  await (await marks(documents)).put([{ key, doc: mark }]);
}

/** Throws `corrupt` for half a copy: who started on it would lose the rest. */
export async function refuseUnfinishedCopy(documents: Documents): Promise<void> {
  const mark = await readMark(documents);
  if (mark === undefined || mark.doneAt !== null) return;
  throw new StoreError(
    "corrupt",
    `a copy of ${mark.from} into this store is not finished: run \`parley store copy\` again, it goes on where it was`,
  );
}

function marks(documents: Documents): Promise<Collection<CopyMark>> {
  return documents.collection<CopyMark>({ name: markCollection });
}
