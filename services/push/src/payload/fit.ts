// Fits a notification into what its provider takes.
import { cutLine, type Line, lineOf } from "./line.ts";
import type { Notice } from "./notice.ts";
import { jsonBytes } from "./shown-text.ts";

/** A picture's address goes along where so many bytes are left for the text, or as many as it has. */
const leftForText = 400;

/**
 * What `build` makes of the body and the picture's address, with the body cut so that all of it takes at most `most` bytes as JSON.
 * What may be cut stands in it once. What is beside body and picture has bounds of its own, so that there is always room for some text.
 */
export function fit<Built>(
  build: (body: string | undefined, picture: string | undefined) => Built,
  { body, picture, most }: { body: Line | undefined; picture?: string | undefined; most: number },
): Built {
  const line = body ?? lineOf("");
  const left = (shown: string | undefined) => {
    const built = build(body && line.before + line.after, shown);
    return most - Buffer.byteLength(JSON.stringify(built));
  };
  const needed = Math.min(leftForText, jsonBytes(line.text));
  const shown = picture !== undefined && left(picture) >= needed ? picture : undefined;
  return build(body && cutLine(line, left(shown)), shown);
}

/** The picture's address, if the user's setting lets it be shown and it is one that phones can read. */
export function pictureOf({ kind, preview, thumbnailUrl }: Notice): string | undefined {
  if (kind !== "message" || preview !== "full" || thumbnailUrl === undefined) return undefined;
  return /^https?:\/\//.test(thumbnailUrl) ? thumbnailUrl : undefined;
}
