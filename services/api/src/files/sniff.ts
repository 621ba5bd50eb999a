// What a file is by its bytes: its name and what its sender says of it count for nothing.
import { fileTypeFromBuffer } from "file-type";
import { isSoundAlone } from "./tracks.ts";

/** So many bytes are looked at. */
export const headBytes = 4_100;

const unknown = "application/octet-stream";
const markup: readonly [RegExp, string][] = [
  [/<svg[\s>:]/i, "image/svg+xml"],
  [/<(!doctype\s+html|html|head|body|script|iframe|object|embed|meta|link|style|form|img|a)[\s>/]/i, "text/html"],
  [/^\s*<(\?xml|!doctype|[a-z][\w:-]*[\s>/])/i, "application/xml"],
];
// What a text does not have: control characters but tab and line feeds.
const noText = /(?![\t\n\f\r])\p{Cc}/u;

/** The media type of a file that begins with these bytes. */
export async function sniff(head: Uint8Array): Promise<string> {
  // Before all else: UTF-16 looks like MPEG audio.
  if (hasUtf16Mark(head)) return "text/plain";
  const found = (await fileTypeFromBuffer(head).catch(() => undefined))?.mime;
  if (found !== undefined && isSoundAlone(head, found)) return found.replace("video", "audio");
  if (found !== undefined && !/xml|svg|html/.test(found)) return found;
  return textType(head) ?? found ?? unknown;
}

function hasUtf16Mark([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

function textType(head: Uint8Array): string | undefined {
  if (head.byteLength === 0) return undefined;
  try {
    // Not at its end: the head may cut a character in two.
    const text = new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
    if (noText.test(text)) return undefined;
    return markup.find(([pattern]) => pattern.test(text))?.[1] ?? "text/plain";
  } catch {
    return undefined;
  }
}

// What browsers show and never run.
const shown = /^(image\/(png|apng|jpeg|gif|webp|avif|heic|heif|bmp)|audio\/[\w.+-]+|video\/[\w.+-]+|text\/plain)$/;

/** True: a browser may show it as it is; everything else is only saved. */
export function mayBeShown(type: string): boolean {
  return shown.test(type);
}
