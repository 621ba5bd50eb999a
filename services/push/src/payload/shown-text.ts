// Makes what people wrote fit to be shown in one line of a notification, in which it can pass for nothing else.

const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });

/** No provider takes as many bytes as this has UTF-16 units: what is behind is not looked at. */
const most = 8_192;

// White space, line breaks and other controls.
const spacing = /[\p{Cc}\p{Z}]+/gu;
// Embeddings, overrides and isolates turn the direction of what stands behind them around; annotations hide it; the others show
// nothing. Marks of direction, and the joiners that scripts and emoji are made with, stay.
const misleading = /[\u202a-\u202e\u2066-\u2069\u206a-\u206f\ufff9-\ufffb\u200b\u2060\ufeff]/gu;
// More marks on one letter than any script has grow over the lines around.
const piledMarks = /(\p{M}{8})\p{M}+/gu;
const shownNothing = /^[\p{Z}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]*$/u;

/** Stands where something is left out. */
export const ellipsis = "…";
const ellipsisBytes = 3;

/** In one line of well-formed Unicode, without what is misleading; empty: it shows nothing. */
export function shownText(text: unknown): string {
  if (typeof text !== "string") return "";
  const isLong = text.length > most;
  const looked = isLong ? beginningOf(text, most) : text;
  const line = looked.toWellFormed().replaceAll(misleading, "").replaceAll(spacing, " ").trim();
  const shown = line.replaceAll(piledMarks, "$1");
  if (shownNothing.test(shown)) return "";
  return isLong ? shown.trimEnd() + ellipsis : shown;
}

/** Its first graphemes, an ellipsis among them where something is left out. */
export function cutToGraphemes(text: string, graphemes: number): string {
  if (text.length <= graphemes) return text;
  let count = 0;
  let end = 0;
  for (const { index } of segmenter.segment(text)) {
    count += 1;
    if (count === graphemes) end = index;
    if (count > graphemes) return text.slice(0, end).trimEnd() + ellipsis;
  }
  return text;
}

/** As much of it as takes so many bytes in JSON, whole graphemes, an ellipsis among the bytes where something is left out. */
export function cutToBytes(text: string, bytes: number): string {
  if (jsonBytes(text) <= bytes) return text;
  if (bytes < ellipsisBytes) return "";
  const kept = beginningOf(text, unitsWithin(text, bytes - ellipsisBytes)).trimEnd();
  return kept + ellipsis;
}

/** What it takes inside a JSON text, in UTF-8. */
export function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}

/** Up to so many UTF-16 units of it, and no grapheme in part. */
function beginningOf(text: string, units: number): string {
  if (units >= text.length) return text;
  return text.slice(0, segmenter.segment(text.slice(0, units + lookAhead)).containing(units)?.index ?? 0);
}

// So much behind a place tells whether a grapheme goes on there.
const lookAhead = 64;

/** How many UTF-16 units of a well-formed text take so many bytes in JSON. */
function unitsWithin(text: string, bytes: number): number {
  let units = 0;
  let taken = 0;
  for (const character of text) {
    taken += bytesOf(character.codePointAt(0) ?? 0);
    if (taken > bytes) break;
    units += character.length;
  }
  return units;
}

function bytesOf(codePoint: number): number {
  if (codePoint === 0x22 || codePoint === 0x5c) return 2;
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x8_00) return 2;
  return codePoint < 0x1_00_00 ? 3 : 4;
}
