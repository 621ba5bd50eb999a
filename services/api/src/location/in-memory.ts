// For tests: a file in memory as one that is stored.
import { Readable } from "node:stream";
import type { Blobs } from "@parley/store";
import { changed } from "./apply.ts";
import { openBytes } from "./bytes.ts";
import { findLocation } from "./find.ts";

export function inMemory(file: Buffer): Pick<Blobs, "open"> {
  return {
    open: async (_, range) =>
      Readable.from([file.subarray(range?.start ?? 0, range ? range.end + 1 : file.length)], { objectMode: false }),
  };
}

/** As others get it. */
export async function sharedFile(file: Buffer, type: string): Promise<Buffer> {
  return changed(file, 0, await findLocation(openBytes(inMemory(file), "it", file.length), type));
}
