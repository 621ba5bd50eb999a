// A picture's size and thumbnail. Decoders read what strangers sent: this runs only in a process of its own.
import { readFile } from "node:fs/promises";
import sharp, { type Sharp, type SharpOptions } from "sharp";
import type { Picture } from "../made.ts";
import { TooLarge } from "./too-large.ts";

const thumbnailSide = 320;
const heic = /^image\/hei[cf](-sequence)?$/;
const loaders = ["JpegBuffer", "PngBuffer", "WebpBuffer", "NsgifBuffer", "HeifBuffer", "TiffBuffer"];

/** What of it stands in the file's own header is believed only as far as the limit. Throws TooLarge, and what decoders throw. */
export async function lookAtPicture(
  path: string,
  type: string,
  pixelsMax: number,
): Promise<Picture & { thumbnail: Buffer }> {
  sharp.block({ operation: ["VipsForeignLoad"] });
  sharp.unblock({ operation: loaders.map((name) => `VipsForeignLoad${name}`) });
  sharp.cache(false);
  sharp.concurrency(1);
  const bytes = await readFile(path);
  return heic.test(type) ? fromHeic(bytes, pixelsMax) : fromSharp(bytes, pixelsMax);
}

async function fromSharp(bytes: Buffer, pixelsMax: number) {
  const options: SharpOptions = { limitInputPixels: pixelsMax, failOn: "none" };
  const { autoOrient, pages = 1, pageHeight } = await sharp(bytes, { ...options, limitInputPixels: false }).metadata();
  const { width, height } = autoOrient;
  refuse(width * height, pixelsMax);
  // All frames together count: of a film that is too large the first one stands for it.
  const isAnimated = pages > 1 && width * (pageHeight ?? height) * pages <= pixelsMax;
  const shown = sharp(bytes, { ...options, animated: isAnimated });
  return { width, height, ...(await shrink(isAnimated ? shown : shown.autoOrient())) };
}

// sharp's own libvips cannot decode it; libheif in WebAssembly can, and turns it.
async function fromHeic(bytes: Buffer, pixelsMax: number) {
  const { default: decodeHeic } = await import("heic-decode");
  const images = await decodeHeic.all({ buffer: bytes });
  try {
    const [first] = images;
    if (!first) throw new Error("no picture in it");
    refuse(first.width * first.height, pixelsMax);
    const { width, height, data } = await first.decode();
    const raw = { width, height, channels: 4 } as const;
    return { width, height, ...(await shrink(sharp(Buffer.from(data.buffer), { raw, limitInputPixels: pixelsMax }))) };
  } finally {
    images.dispose();
  }
}

function refuse(pixels: number, pixelsMax: number): void {
  if (!(pixels <= pixelsMax)) throw new TooLarge(`${pixels} pixels; the limit is ${pixelsMax}`);
}

// Nothing of EXIF, XMP or IPTC is kept: sharp leaves it out unless it is told to keep it.
async function shrink(picture: Sharp) {
  const { data, info } = await picture
    .resize({ width: thumbnailSide, height: thumbnailSide, fit: "inside", withoutEnlargement: true })
    .webp({ quality: 75 })
    .toBuffer({ resolveWithObject: true });
  const height = info.pageHeight ?? info.height;
  return { thumbnail: data, thumbnailOf: { type: "image/webp", width: info.width, height } };
}
