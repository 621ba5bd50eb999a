// What an entry of the log says of a message: the words it is found by, and what is attached.
import { pointingTypes, type StoredEntry } from "@parley/protocol";
import { type AttachmentKind, type IndexedMessage, lastVersion } from "@parley/store";

interface Content {
  type?: unknown;
  seq?: unknown;
  data?: unknown;
  [name: string]: unknown;
}

const attached: Readonly<Record<string, readonly AttachmentKind[]>> = {
  image: ["file", "image"],
  audio: ["file"],
  video: ["file"],
  file: ["file"],
};
/** Fields of `content`, and of `content.data` where that is an object, that people read. */
const readFields = [
  "text",
  "caption",
  "title",
  "name",
  "description",
  "question",
  "options",
  "address",
  "label",
] as const;
const optionsMost = 100;
const link = /\bhttps?:\/\/[^\s/]|\bwww\.[\p{L}\p{N}]/iu;

const wordless: ReadonlySet<string> = new Set(["event", "reaction", "vote", "close"]);

/** Entries of types that nobody reads are not even fetched. */
export function isIndexed({ type }: { type: string }): boolean {
  return !wordless.has(type);
}

/** Of an edit the message that it changes. */
export function editedSeqOf({ type, body }: StoredEntry): number | undefined {
  if (type !== "edit") return undefined;
  const { seq } = contentOf(body);
  return isSeq(seq) ? seq : undefined;
}

/** undefined: it says nothing. `edited`: of an edit the message that it changes, if that is still there. */
export function indexedOf(entry: StoredEntry, edited?: StoredEntry): IndexedMessage | undefined {
  const { conv, seq, from, ts, type } = entry;
  if (!isIndexed(entry)) return undefined;
  const content = contentOf(entry.body);
  const isErased = content.type === "erased" && type !== "erased";
  if (!pointingTypes.has(type)) {
    if (isErased) return { conv, seq, version: lastVersion, ts, from, text: null, has: [] };
    return { conv, seq, version: seq, ts, from, ...wordsAndKinds(type, content) };
  }
  if (!isSeq(content.seq)) return undefined;
  const about = { conv, seq: content.seq, version: seq, ts, from };
  if (type === "recall") return { ...about, text: null, has: [] };
  if (!edited) return { ...about, ...wordsAndKinds("text", content) };
  return { ...about, ...wordsAndKinds(edited.type, { ...contentOf(edited.body), data: content.data }) };
}

function wordsAndKinds(type: string, content: Content): { text: string; has: AttachmentKind[] } {
  const text = textOf(type, content);
  return { text, has: [...(attached[type] ?? []), ...(link.test(text) ? (["link"] as const) : [])] };
}

// Data of an application's own types may be anything.
function textOf(type: string, content: Content): string {
  const { data } = content;
  const isOwn = type.startsWith("x-");
  const texts = readFields.flatMap((name) => textsIn(content[name]));
  if (typeof data === "string" && !isOwn) texts.unshift(data);
  if (isObject(data)) texts.push(...readFields.flatMap((name) => textsIn(data[name])));
  return texts.join("\n");
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (!Array.isArray(value)) return [];
  return value
    .slice(0, optionsMost)
    .flatMap((one) => (typeof one === "string" ? [one] : isObject(one) ? textsIn(one.text) : []));
}

function contentOf(body: Uint8Array): Content {
  const parsed: unknown = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
  const content = isObject(parsed) ? parsed.content : undefined;
  return isObject(content) ? content : {};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}
