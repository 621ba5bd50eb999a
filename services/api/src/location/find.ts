// Where a file says where it was made: which bytes others get otherwise. Only what is known to hold it is looked into, no decoder runs.
import { AppError } from "@parley/protocol";
import type { Bytes } from "./bytes.ts";
import { walkBoxes } from "./film.ts";
import { walkJpeg } from "./jpeg.ts";
import { walkPng } from "./png.ts";
import { walkTiff } from "./tiff.ts";
import { type Change, startWalk, untilTorn, type Walk, WalkEnded } from "./walk.ts";
import { walkWebp } from "./webp.ts";

const formats: readonly [RegExp, (walk: Walk) => Promise<void>][] = [
  [/^image\/jpeg$/, walkJpeg],
  [/^image\/a?png$/, walkPng],
  [/^image\/webp$/, walkWebp],
  [/^image\/(tiff|x-adobe-dng|x-canon-cr2|x-nikon-nef|x-sony-arw)$/, (walk) => walkTiff(walk, 0, walk.size)],
  [/^image\/(hei[cf](-sequence)?|avif)$/, (walk) => walkBoxes(walk, 0, walk.size)],
  [/^(audio|video)\/(mp4|quicktime|3gpp2?|x-m4[av]|m4a)$/, (walk) => walkBoxes(walk, 0, walk.size)],
];

/** May a file of this media type say where it was made, in a way that is known here? */
export function maySayWhere(type: string): boolean {
  return formats.some(([pattern]) => pattern.test(type));
}

/**
 * Of a file that is torn, what stands before. Throws `forbidden` if there is more to look into, or to change, than is looked into or
 * kept: a place may be left; StoreErrors; BytesGone; and between two reads why `signal` was aborted.
 */
export async function findLocation(bytes: Bytes, type: string, signal?: AbortSignal): Promise<Change[]> {
  const look = formats.find(([pattern]) => pattern.test(type))?.[1];
  const walk = startWalk(bytes, signal);
  try {
    await untilTorn(async () => look?.(walk));
  } catch (error) {
    if (!(error instanceof WalkEnded)) throw error;
    throw new AppError("forbidden", "this file may say where it was made in too many places; remove them first", {
      cause: error,
    });
  }
  return walk.changes;
}
