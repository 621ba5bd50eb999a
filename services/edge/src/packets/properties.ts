// Walks the properties of a PUBLISH without building them, to find the one the edge never agreed to.

/** How long a value is by its property's id: bytes, or how its length is told [MQTT5 2.2.2.2]. */
const sizes = new Map<number, number | "string" | "pair" | "varint">([
  [0x01, 1],
  [0x02, 4],
  [0x03, "string"],
  [0x08, "string"],
  [0x09, "string"],
  [0x0b, "varint"],
  [0x23, 2],
  [0x26, "pair"],
]);
const topicAlias = 0x23;

/** Whether the properties that begin with their length at `at` name a Topic Alias; "malformed" when they are no properties of PUBLISH. */
export function findTopicAlias(bytes: Buffer, at: number, end: number): "none" | "present" | "malformed" {
  if (bytes[at] === 0) return "none";
  const length = readVarint(bytes, at, end);
  if (length === undefined || length.next + length.value > end) return "malformed";
  const last = length.next + length.value;
  let found: "none" | "present" = "none";
  for (let next = length.next; next < last; ) {
    const id = bytes[next]!;
    if (id === topicAlias) found = "present";
    const after = skip(bytes, next + 1, last, sizes.get(id));
    if (after === undefined || after > last) return "malformed";
    next = after;
  }
  return found;
}

function skip(bytes: Buffer, at: number, end: number, size: number | string | undefined): number | undefined {
  if (typeof size === "number") return at + size;
  if (size === "varint") return readVarint(bytes, at, end)?.next;
  if (size === undefined || at + 2 > end) return undefined;
  const after = at + 2 + bytes.readUInt16BE(at);
  if (size === "string") return after;
  return after + 2 > end ? undefined : after + 2 + bytes.readUInt16BE(after);
}

function readVarint(bytes: Buffer, at: number, end: number): { value: number; next: number } | undefined {
  let value = 0;
  for (let digit = 0; digit < 4; digit++) {
    if (at + digit >= end) return undefined;
    const byte = bytes[at + digit]!;
    value += (byte & 0x7f) * 128 ** digit;
    if (byte < 0x80) return { value, next: at + digit + 1 };
  }
  return undefined;
}
