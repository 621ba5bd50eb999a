// Moves everything from one store to another, whatever their engines, and compares the two at the end.
import type { BlobPlaces } from "./blob-ends.ts";
import { comparePair, type Difference } from "./compare.ts";
import { compareBlobs, copyBlobs } from "./copy-blobs.ts";
import { copyPair, lengthOf } from "./copy-pair.ts";
import { openEnds } from "./ends.ts";

export type CopyOptions = {
  from: string;
  to: string;
  /** How many conversation partitions a log has. */
  partitions: number;
  /** Where the files that messages refer to are kept; undefined: they stay where they are. */
  blobs?: BlobPlaces | undefined;
  /** Hears of every page and every file. */
  progress?: (progress: CopyProgress) => void;
};

export type CopyProgress = {
  step: "copy" | "compare";
  /** Entries and documents that this step has done; documents include those that were there already. */
  entries: number;
  documents: number;
  files: number;
  /** Of the files. */
  bytes: number;
  /** At most so many entries are left: a log that was retained has fewer than positions. */
  entriesLeft: number;
};

/** `differences` empty: both stores hold the same; files are compared by id and size, their bytes when they are put. `resumed`: it went on with a copy that was ended before. */
export type CopyResult = {
  services: string[];
  /** Of the whole store. */
  entries: number;
  documents: number;
  files: number;
  /** Of the files. */
  bytes: number;
  resumed: boolean;
  differences: Difference[];
};

/**
 * Copies, or goes on copying, FROM to TO. A store of SQLite is locked meanwhile; one on MongoDB must not be used.
 * Throws StoreError and has written nothing if TO may not take it: `invalid_url`, `locked`, `newer_version`, `corrupt`,
 * `unavailable`, `duplicate_key` (it holds something else).
 */
export async function copyStore({
  from,
  to,
  partitions,
  blobs,
  progress = () => {},
}: CopyOptions): Promise<CopyResult> {
  const ends = await openEnds({ from, to, partitions, blobs });
  try {
    let missing = 0;
    let all = 0;
    for (const pair of ends.pairs) {
      const length = await lengthOf(pair.from.log(), partitions);
      all += length;
      missing += Math.max(0, length - (await lengthOf(pair.to.log(), partitions)));
    }
    const copied = startCount("copy", missing, progress);
    for (const pair of ends.pairs) await copyPair(pair, partitions, copied.tell);
    if (ends.blobs) await copyBlobs(ends.blobs, copied.tellBlobs);
    const compared = startCount("compare", all, progress);
    const differences: Difference[] = [];
    for (const pair of ends.pairs) differences.push(...(await comparePair(pair, partitions, compared.tell)));
    if (ends.blobs) differences.push(...(await compareBlobs(ends.blobs, compared.tellBlobs)));
    if (differences.length === 0) await ends.finish();
    const services = ends.pairs.map(({ service }) => service);
    return { services, ...compared.counted(), resumed: ends.resumed, differences };
  } finally {
    await ends.close();
  }
}

function startCount(step: CopyProgress["step"], entriesMost: number, progress: (progress: CopyProgress) => void) {
  const counted = { entries: 0, documents: 0, files: 0, bytes: 0 };
  const show = () => progress({ step, ...counted, entriesLeft: Math.max(0, entriesMost - counted.entries) });
  const tell = (entries: number, documents: number) => {
    counted.entries += entries;
    counted.documents += documents;
    show();
  };
  const tellBlobs = (files: number, bytes: number) => {
    counted.files += files;
    counted.bytes += bytes;
    show();
  };
  return { tell, tellBlobs, counted: () => counted };
}
