// Fits a notification into what its provider takes.
import { cutLine, type Line } from "./line.ts";
import { jsonBytes } from "./shown-text.ts";

/**
 * What `build` makes of the body, which stands in it once: the body is cut so that all of it takes `most` bytes as JSON. What is
 * beside the body has bounds of its own, so that something of the body is always left.
 */
export function fit<Built>(build: (body: string | undefined) => Built, body: Line | undefined, most: number): Built {
  if (body === undefined) return build(undefined);
  const { before, after } = body;
  const taken = Buffer.byteLength(JSON.stringify(build(before + after)));
  return build(cutLine(body, most - taken));
}

/** A picture's address may take so many bytes; a longer one, or what is no web address, is left out. */
const pictureMost = 2_000;

export function pictureOf({
  preview,
  thumbnailUrl: url,
}: {
  preview: string;
  thumbnailUrl?: string;
}): string | undefined {
  if (preview !== "full" || url === undefined || !/^https?:\/\//.test(url)) return undefined;
  return jsonBytes(url) <= pictureMost ? url : undefined;
}
