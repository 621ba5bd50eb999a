// WebP: chunks of a RIFF file. Source: RFC 9649.
import { walkTiff } from "./tiff.ts";
import type { Walk } from "./walk.ts";
import { walkXmp } from "./xmp.ts";

const exifMark = "Exif\0\0";

export async function walkWebp(walk: Walk): Promise<void> {
  for (let at = 12; at + 8 <= walk.size; ) {
    walk.step();
    const head = await walk.read(at, 8 + exifMark.length);
    const [type, length, data] = [head.toString("latin1", 0, 4), head.readUInt32LE(4), at + 8];
    // Some write EXIF as it stands in a JPEG.
    const marked = head.toString("latin1", 8) === exifMark ? exifMark.length : 0;
    if (type === "EXIF") await walkTiff(walk, data + marked, Math.min(walk.size, data + length));
    if (type === "XMP ") await walkXmp(walk, [{ at: data, length: Math.min(length, walk.size - data) }]);
    at = data + length + (length % 2);
  }
}
