// What a page says of itself: Open Graph's words, or its title and description.
import { type LinkPreview, limits } from "@parley/protocol";
import { Tokenizer, type TokenizerCallbacks } from "htmlparser2";
import type { Page } from "./fetch-page.ts";
import { readPageAddress } from "./page-address.ts";

/** undefined: it says nothing. */
export function readPage({ url, bytes, charset }: Page): Omit<LinkPreview, "url"> | undefined {
  const said = readSaid(decode(bytes, charset));
  const first = (...names: string[]) =>
    names.map((name) => said.get(name) ?? "").find((text) => text.trim() !== "") ?? "";
  const title = shortened(first("og:title", "twitter:title", "title"), limits.previewTitle);
  const description = shortened(
    first("og:description", "twitter:description", "description"),
    limits.previewDescription,
  );
  const image = readImage(first("og:image:secure_url", "og:image", "og:image:url", "twitter:image").trim(), url);
  if (!title && !description && !image) return undefined;
  return {
    ...(title && { title }),
    ...(description && { description }),
    site: shortened(first("og:site_name"), limits.previewSite) || shortened(url.host, limits.previewSite),
    ...(image && { image }),
  };
}

function readImage(text: string, page: URL): string {
  return text === "" ? "" : (readPageAddress(text, page)?.href ?? "");
}

/** A byte order mark counts most, then what the server says, then the page [WHATWG HTML, encoding sniffing]. */
function decode(bytes: Buffer, charset: string | null): string {
  const mark = bytes.subarray(0, 3).toString("hex");
  const marked =
    mark === "efbbbf" ? "utf-8" : mark.startsWith("fffe") ? "utf-16le" : mark.startsWith("feff") && "utf-16be";
  const declared = /<meta[^>]{0,200}charset\s*=\s*["']?([\w.:-]{1,40})/i.exec(bytes.toString("latin1", 0, 1_024))?.[1];
  // A page that could be read so far is not UTF-16.
  const named = declared && /^utf-?16/i.test(declared) ? "utf-8" : declared;
  return decoderOf(marked || charset || named || "utf-8").decode(bytes);
}

function decoderOf(charset: string): TextDecoder {
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder();
  }
}

// The tokens suffice: nothing is nested, so no page is slow to read. Of each name the first counts.
function readSaid(html: string): Map<string, string> {
  const said = new Map<string, string>();
  let tag = "";
  let attribute = "";
  let value = "";
  let attributes = new Map<string, string>();
  let title: string | undefined;
  const endTag = () => {
    const name = attributes.get("property") ?? attributes.get("name");
    if (tag === "meta" && name) keep(name.trim().toLowerCase(), attributes.get("content") ?? "");
    if (tag === "title") title = "";
  };
  const keep = (name: string, text: string) => {
    if (!said.has(name)) said.set(name, text);
  };
  const callbacks: TokenizerCallbacks = {
    onopentagname(start, end) {
      tag = html.slice(start, end).toLowerCase();
      attributes = new Map();
    },
    onattribname(start, end) {
      attribute = html.slice(start, end).toLowerCase();
      value = "";
    },
    onattribdata(start, end) {
      value += html.slice(start, end);
    },
    onattribentity(codepoint) {
      value += String.fromCodePoint(codepoint);
    },
    onattribend() {
      if (tag === "meta" && !attributes.has(attribute)) attributes.set(attribute, value);
    },
    onopentagend: endTag,
    onselfclosingtag: endTag,
    ontext(start, end) {
      if (title !== undefined) title += html.slice(start, end);
    },
    ontextentity(codepoint) {
      if (title !== undefined) title += String.fromCodePoint(codepoint);
    },
    onclosetag() {
      if (title !== undefined) keep("title", title);
      title = undefined;
    },
    oncdata: ignore,
    oncomment: ignore,
    ondeclaration: ignore,
    onprocessinginstruction: ignore,
    onend: ignore,
  };
  const tokenizer = new Tokenizer({ decodeEntities: true }, callbacks);
  tokenizer.write(html);
  tokenizer.end();
  return said;
}

const ignore = () => undefined;
const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
// Controls, and what turns the direction of writing around.
const unshown = /[\p{Cc}\s\u202a-\u202e\u2066-\u2069]+/gu;

/** One line, and no character is cut in two. */
function shortened(text: string, max: number): string {
  const line = text.toWellFormed().replaceAll(unshown, " ").trim();
  if (line.length <= max) return line;
  let kept = "";
  for (const { segment } of segmenter.segment(line)) {
    if (kept.length + segment.length >= max) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}
