// Which tracks a film or recording begins with: WebM and MP4 of sound alone are named like films by their first bytes.

/** Undefined: that cannot be seen in these bytes. */
export function isSoundAlone(head: Uint8Array, type: string): boolean | undefined {
  const kinds = type === "video/webm" ? webmTracks(head) : type === "video/mp4" ? mp4Tracks(head) : [];
  return kinds.length === 0 ? undefined : kinds.every((kind) => kind !== "other");
}

type Track = "sound" | "other";
/** Where the content of an element or box is; `end` may lie behind the bytes that there are. */
type Part = { name: string | number; start: number; end: number };

const ids = { segment: 0x18538067, tracks: 0x1654ae6b, entry: 0xae, type: 0x83 };
const soundType = 2;

// RFC 8794 (EBML), RFC 9559 (Matroska).
function webmTracks(head: Uint8Array): Track[] {
  const inside = (name: number) => (part: Part) => [...elements(head, part)].filter((one) => one.name === name);
  const whole = { name: "", start: 0, end: head.length };
  const lists = inside(ids.segment)(whole).flatMap(inside(ids.tracks));
  if (lists.some(({ end }) => end > head.length)) return [];
  const types = lists.flatMap(inside(ids.entry)).flatMap(inside(ids.type));
  return types.map(({ start }) => (head[start] === soundType ? "sound" : "other"));
}

function* elements(head: Uint8Array, { start, end }: Part): Generator<Part> {
  for (let at = start; at < Math.min(end, head.length); ) {
    const id = variable(head, at);
    const size = id && variable(head, at + id.length);
    if (!id || !size) return;
    const content = at + id.length + size.length;
    const bits = 7 * size.length;
    const value = size.value - 2 ** bits;
    // All ones: as long as there is something.
    const next = value === 2 ** bits - 1 ? end : content + value;
    yield { name: id.value, start: content, end: Math.min(next, end) };
    at = next;
  }
}

/** With the bit that says its length. */
function variable(head: Uint8Array, at: number): { value: number; length: number } | undefined {
  const length = Math.clz32(head[at] ?? 0) - 23;
  if (length > 8 || at + length > head.length) return undefined;
  return { value: head.subarray(at, at + length).reduce((sum, byte) => sum * 256 + byte, 0), length };
}

// ISO/IEC 14496-12.
function mp4Tracks(head: Uint8Array): Track[] {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const inside = (name: string) => (part: Part) => [...boxes(view, part)].filter((one) => one.name === name);
  const movies = inside("moov")({ name: "", start: 0, end: Number.POSITIVE_INFINITY });
  if (movies.some(({ end }) => end > head.length)) return [];
  const handlers = movies.flatMap(inside("trak")).flatMap(inside("mdia")).flatMap(inside("hdlr"));
  return handlers.map(({ start }) => (nameAt(view, start + 8) === "soun" ? "sound" : "other"));
}

function* boxes(view: DataView, { start, end }: Part): Generator<Part> {
  for (let at = start; at + 8 <= Math.min(end, view.byteLength); ) {
    const size = view.getUint32(at);
    // 0: to the end; 1: a longer size follows, which nothing needs that fits into a head.
    if (size < 8) return;
    yield { name: nameAt(view, at + 4), start: at + 8, end: Math.min(at + size, end) };
    at += size;
  }
}

function nameAt(view: DataView, at: number): string {
  if (at + 4 > view.byteLength) return "";
  return String.fromCharCode(...[0, 1, 2, 3].map((step) => view.getUint8(at + step)));
}
