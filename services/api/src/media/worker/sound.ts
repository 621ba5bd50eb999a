// How long a recording is by its own words.
import { readFile } from "node:fs/promises";
import { parseBuffer } from "music-metadata";
import type { Sound } from "../made.ts";

/** Without `durationMs`: it does not say. Throws what parsers throw. */
export async function lookAtSound(path: string, type: string): Promise<Sound> {
  const { format } = await parseBuffer(await readFile(path), type, { duration: true, skipCovers: true });
  const { duration } = format;
  return duration !== undefined && Number.isFinite(duration) && duration > 0
    ? { durationMs: Math.round(duration * 1_000) }
    : {};
}
