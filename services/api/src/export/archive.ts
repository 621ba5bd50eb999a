// A ZIP that is written while it is read: one entry at a time, at the pace of its reader; of those before only the names are kept.
import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import yazl from "yazl";

export interface Archive {
  /** destroyed when nobody reads any more */
  bytes: Readable;
  /** aborted when it is over */
  over: AbortSignal;
  /** Resolves when the entry's source is read to its end; the source is destroyed in any case. Throws its error, or that nobody reads. */
  add(path: string, source: Readable, options: EntryOptions): Promise<void>;
  /** The directory: without it no program takes the ZIP for whole. */
  end(): void;
}

export interface EntryOptions {
  /** unix ms */
  at: number;
  compress: boolean;
}

export function openArchive(): Archive {
  const over = new AbortController();
  const zip = new yazl.ZipFile();
  const bytes = zip.outputStream as Readable;
  zip.on("error", (error: Error) => bytes.destroy(error));
  bytes.once("close", () => over.abort());
  return {
    bytes,
    over: over.signal,
    async add(path, source, { at, compress }) {
      try {
        over.signal.throwIfAborted();
        zip.addReadStream(source, path, { mtime: new Date(at), compress });
        await finished(source, { signal: over.signal });
      } finally {
        source.destroy();
      }
    },
    end: () => zip.end(),
  };
}

/** One JSON text a line. */
export function jsonLines(rows: AsyncIterable<unknown>): Readable {
  async function* lines() {
    for await (const row of rows) yield `${JSON.stringify(row)}\n`;
  }
  return Readable.from(lines(), { objectMode: false });
}
