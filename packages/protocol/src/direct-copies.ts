// Frames between routers and the edge, over a stream of bytes: copies that reach devices past the broker.
//
// copies   router → edge  [size u32][1][id u32][topics u16][reopens u8, length u16, topic]…[payload]
// refused  edge → router  [size u32][2][id u32][index u16]…
// late     edge → router  [size u32][3][id u32][index u16][topic]
// done     edge → router  [size u32][4][id u32]
//
// Numbers are big endian, `size` counts what follows it, `id` is the router's, `index` one of the topics of its frame.

/** A place in a frame of copies: whoever hears this topic is to have the payload. */
export interface CopyTopic {
  topic: string;
  /** What was said to it through the broker is finished: from this one on copies may go past the broker again. */
  reopens: boolean;
}

export interface CopiesFrame {
  kind: "copies";
  id: number;
  topics: readonly CopyTopic[];
  payload: Buffer;
}

export type CopiesAnswer =
  /** These topics have to go through the broker; nobody got them. */
  | { kind: "refused"; id: number; indexes: readonly number[] }
  /** A device that had a copy has not confirmed it: the broker shall have it for that device, under `topic`. */
  | { kind: "late"; id: number; index: number; topic: string }
  /** Every copy is confirmed, or was refused or late. */
  | { kind: "done"; id: number };

/** topics of one frame */
export const copyTopicsMax = 1_000;
const headBytes = 9;
const frameMax = 1024 * 1024;
const kinds = { copies: 1, refused: 2, late: 3, done: 4 } as const;

export function writeCopies(id: number, topics: readonly CopyTopic[], payload: Uint8Array): Buffer {
  let size = headBytes + 2 + payload.byteLength;
  for (const { topic } of topics) size += 3 + Buffer.byteLength(topic);
  const frame = begin(kinds.copies, id, size);
  let at = frame.writeUInt16BE(topics.length, headBytes);
  for (const { topic, reopens } of topics) {
    const length = frame.write(topic, at + 3);
    frame[at] = reopens ? 1 : 0;
    frame.writeUInt16BE(length, at + 1);
    at += 3 + length;
  }
  frame.set(payload, at);
  return frame;
}

export function writeCopiesAnswer(answer: CopiesAnswer): Buffer {
  if (answer.kind === "done") return begin(kinds.done, answer.id, headBytes);
  if (answer.kind === "late") {
    const frame = begin(kinds.late, answer.id, headBytes + 2 + Buffer.byteLength(answer.topic));
    frame.write(answer.topic, frame.writeUInt16BE(answer.index, headBytes));
    return frame;
  }
  const frame = begin(kinds.refused, answer.id, headBytes + 2 * answer.indexes.length);
  let at = headBytes;
  for (const index of answer.indexes) at = frame.writeUInt16BE(index, at);
  return frame;
}

function begin(kind: number, id: number, size: number): Buffer {
  const frame = Buffer.allocUnsafe(size);
  frame.writeUInt32BE(size - 4, 0);
  frame[4] = kind;
  frame.writeUInt32BE(id, 5);
  return frame;
}

/** Cuts a stream into frames. Throws `RangeError` at bytes that are none: nothing more can be read then. */
export class CopiesReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Frames share the memory of `chunk`. */
  *push(chunk: Buffer): Generator<CopiesFrame | CopiesAnswer> {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= 4) {
      const end = at + 4 + bytes.readUInt32BE(at);
      if (end - at > frameMax || end - at < headBytes) throw new RangeError("no frame of copies");
      if (end > bytes.length) break;
      yield readFrame(bytes.subarray(at, end));
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }
}

function readFrame(frame: Buffer): CopiesFrame | CopiesAnswer {
  const id = frame.readUInt32BE(5);
  switch (frame[4]) {
    case kinds.copies:
      return readCopies(frame, id);
    case kinds.refused: {
      const indexes: number[] = [];
      for (let at = headBytes; at < frame.length; at += 2) indexes.push(frame.readUInt16BE(at));
      return { kind: "refused", id, indexes };
    }
    case kinds.late:
      return { kind: "late", id, index: frame.readUInt16BE(headBytes), topic: frame.toString("utf8", headBytes + 2) };
    case kinds.done:
      return { kind: "done", id };
    default:
      throw new RangeError("no frame of copies");
  }
}

function readCopies(frame: Buffer, id: number): CopiesFrame {
  const topics: CopyTopic[] = [];
  let at = headBytes + 2;
  for (let left = frame.readUInt16BE(headBytes); left > 0; left--) {
    const from = at + 3;
    const to = from + frame.readUInt16BE(at + 1);
    if (to > frame.length) throw new RangeError("no frame of copies");
    topics.push({ topic: frame.toString("utf8", from, to), reopens: frame[at] === 1 });
    at = to;
  }
  return { kind: "copies", id, topics, payload: frame.subarray(at) };
}
