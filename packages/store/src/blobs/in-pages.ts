// The sweep that all engines share: old blobs, page by page, less those that are in use.
import { chunks, each } from "../each.ts";
import type { KeptBlob, SweepQuery } from "./blobs.ts";

const pageBlobs = 500;
const removalsAtOnce = 8;

/** Answers how many were removed. */
export async function removeUnused(
  blobs: AsyncIterable<KeptBlob>,
  { before, inUse }: SweepQuery,
  remove: (id: string) => Promise<boolean>,
): Promise<number> {
  let removed = 0;
  const page: string[] = [];
  const sweepPage = async () => {
    for (const ids of chunks(page.splice(0), pageBlobs)) {
      const used = await inUse(ids);
      const unused = ids.filter((id) => !used.has(id));
      removed += (await each(unused, removalsAtOnce, remove)).filter(Boolean).length;
    }
  };
  for await (const { id, at } of blobs) {
    if (at >= before) continue;
    page.push(id);
    if (page.length >= pageBlobs) await sweepPage();
  }
  await sweepPage();
  return removed;
}
