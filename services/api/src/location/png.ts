// PNG: chunks of length, type, data and CRC. What is changed in one has its CRC made anew. Source: PNG 3rd edition.
import { crc32 } from "node:zlib";
import { changed } from "./apply.ts";
import { walkTiff } from "./tiff.ts";
import type { Walk } from "./walk.ts";
import { type Piece, walkXmp } from "./xmp.ts";

const readMax = 1024;
const crcStep = 64 * 1024;
const [dash, space] = [0x2d, 0x20];
const xmpKeyword = "XML:com.adobe.xmp";
/** EXIF, XMP or IPTC as hexadecimal text, and EXIF's own names, as ImageMagick writes them. */
const rawProfile = /^raw profile type |^exif:gps|gps|location|latitude|longitude/i;

export async function walkPng(walk: Walk): Promise<void> {
  for (let at = 8; at + 12 <= walk.size; ) {
    walk.step();
    const head = await walk.read(at, 8);
    const length = head.readUInt32BE(0);
    if (at + 12 + length > walk.size) return;
    const before = walk.changes.length;
    await walkChunk(walk, head.toString("latin1", 4), at + 4, { at: at + 8, length });
    if (walk.changes.length > before) await writeCrc(walk, at + 4, length + 4);
    at += 12 + length;
  }
}

async function walkChunk(walk: Walk, type: string, typeAt: number, data: Piece): Promise<void> {
  if (type === "eXIf") return walkTiff(walk, data.at, data.at + data.length);
  if (type !== "iTXt" && type !== "tEXt" && type !== "zTXt") return;
  const head = await walk.read(data.at, Math.min(data.length, readMax));
  const keywordEnd = head.indexOf(0);
  if (keywordEnd < 1) return;
  const keyword = head.toString("latin1", 0, keywordEnd);
  const behind = (bytes: number) => ({ at: data.at + bytes, length: data.length - bytes });
  if (type === "iTXt" && keyword === xmpKeyword) return walkXmpChunk(walk, head, keywordEnd, behind);
  if (!rawProfile.test(keyword)) return;
  // As plain text: what was compressed could not be expanded any more.
  if (type !== "tEXt") walk.write(typeAt, Buffer.from("tEXt"));
  walk.fill(data.at, keywordEnd, dash);
  const { at, length } = behind(keywordEnd + 1);
  walk.fill(at, length, space);
}

// Keyword, 0, is it compressed, how, language, 0, translated keyword, 0, text.
async function walkXmpChunk(walk: Walk, head: Buffer, keywordEnd: number, behind: (bytes: number) => Piece) {
  const language = head.indexOf(0, keywordEnd + 3);
  const translated = head.indexOf(0, language + 1);
  if (language < 0 || translated < 0) return;
  const text = behind(translated + 1);
  if (head[keywordEnd + 1] === 0) return walkXmp(walk, [text]);
  walk.fill(behind(keywordEnd + 1).at, 1, 0);
  walk.fill(text.at, text.length, space);
}

async function writeCrc(walk: Walk, at: number, length: number): Promise<void> {
  let crc = 0;
  for (let done = 0; done < length; done += crcStep) {
    walk.step();
    const bytes = await walk.read(at + done, Math.min(crcStep, length - done));
    crc = crc32(changed(bytes, at + done, walk.changes), crc);
  }
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  walk.write(at + length, bytes);
}
