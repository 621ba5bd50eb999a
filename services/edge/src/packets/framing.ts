// Cuts a byte stream into whole MQTT packets without copying those that arrive whole [MQTT-2.1.1].
import { types } from "./packets.ts";

const noBytes = Buffer.alloc(0);
/** until a packet is too large */
const noLarge: Readonly<Skipped> = { head: noBytes, body: 0, bytes: 0 };
const smallestPart = 4096;
/** what is kept of a packet that is passed over, and of a PUBLISH so much more than its topic */
const headBytes = 1024;

type Found = "packet" | "more" | "malformed" | "too_large" | "skipped";

/** A packet that was passed over. */
export interface Skipped {
  /** its first KiB; of a PUBLISH also all of its topic */
  head: Buffer;
  /** where its variable header begins */
  body: number;
  /** of the whole packet */
  bytes: number;
}

/**
 * `push` what arrived, then `next` until it says "more". After "packet", `bytes.subarray(start, end)` is the packet as it
 * came and `body` is where its variable header begins. A packet that arrives in many pieces costs at most twice its size.
 * After "too_large" either nothing more can be read, or `skip` passes over that packet.
 */
export class Framing {
  bytes: Buffer = noBytes;
  start = 0;
  body = 0;
  end = 0;
  #maxPacketBytes: number;
  /** a packet begun but not whole: its first `#partLength` bytes */
  #part: Buffer = noBytes;
  #partLength = 0;

  /** of the packet that is too large */
  #large: Skipped = noLarge;
  #skipLeft = 0;
  #onPiece: ((piece: Buffer) => void) | undefined;

  constructor(maxPacketBytes: number) {
    this.#maxPacketBytes = maxPacketBytes;
  }

  /** The largest packet from now on. */
  allow(maxPacketBytes: number): void {
    this.#maxPacketBytes = maxPacketBytes;
  }

  push(chunk: Buffer): void {
    const rest = this.bytes.length - this.end;
    if (rest > 0) this.#keep(this.bytes.subarray(this.end));
    if (this.#partLength === 0) {
      this.bytes = chunk;
    } else {
      this.#keep(chunk);
      this.bytes = this.#part.subarray(0, this.#partLength);
      if (this.#measure(0) === "more") {
        this.bytes = noBytes;
      } else {
        this.#part = noBytes;
        this.#partLength = 0;
      }
    }
    this.start = this.body = this.end = 0;
  }

  /** Lets go of bytes that have all been read: an idle connection keeps none. */
  release(): void {
    if (this.end < this.bytes.length) return;
    this.bytes = noBytes;
    this.start = this.body = this.end = 0;
  }

  next(): Found {
    return this.#skipLeft > 0 ? this.#passOver() : this.#measure(this.end);
  }

  /**
   * After "too_large": `next` says "skipped" when the last byte of that packet has come. `onPiece` sees what comes of it,
   * from its variable header on.
   */
  skip(onPiece?: (piece: Buffer) => void): void {
    this.#skipLeft = this.#large.bytes;
    this.#onPiece = onPiece;
  }

  /** After "skipped"; of what is "too_large" without its head. */
  skipped(): Skipped {
    return this.#large;
  }

  packet(): Buffer {
    return this.bytes.subarray(this.start, this.end);
  }

  #passOver(): Found {
    const { body, bytes } = this.#large;
    const passed = bytes - this.#skipLeft;
    const step = Math.min(this.#skipLeft, this.bytes.length - this.end);
    const piece = this.bytes.subarray(this.end, this.end + step);
    this.#keepHead(piece);
    if (passed + step > body) this.#onPiece?.(piece.subarray(Math.max(0, body - passed)));
    this.#skipLeft -= step;
    this.end += step;
    this.start = this.body = this.end;
    return this.#skipLeft > 0 ? "more" : "skipped";
  }

  #keepHead(piece: Buffer): void {
    const large = this.#large;
    let rest = piece;
    // Twice at most: how long a topic is stands before it.
    for (let room = roomIn(large); room > 0 && rest.length > 0; room = roomIn(large)) {
      large.head = Buffer.concat([large.head, rest.subarray(0, room)]);
      rest = rest.subarray(room);
    }
  }

  #keep(chunk: Buffer): void {
    const wanted = this.#partLength + chunk.length;
    if (wanted > this.#part.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(smallestPart, 2 * wanted));
      this.#part.copy(larger, 0, 0, this.#partLength);
      this.#part = larger;
    }
    chunk.copy(this.#part, this.#partLength);
    this.#partLength = wanted;
  }

  #measure(from: number): Found {
    const { bytes } = this;
    let at = from + 1;
    let length = 0;
    for (let scale = 1; ; scale *= 128) {
      if (at >= bytes.length) return "more";
      const byte = bytes[at++]!;
      length += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      if (at - from === 5) return "malformed";
    }
    if (at - from + length > this.#maxPacketBytes) {
      this.#large = { head: noBytes, body: at - from, bytes: at - from + length };
      return "too_large";
    }
    if (at + length > bytes.length) return "more";
    this.start = from;
    this.body = at;
    this.end = at + length;
    return "packet";
  }
}

/** How much more of its beginning is to be kept. */
function roomIn({ head, body }: Skipped): number {
  const isPublish = head.length > 0 && head[0]! >> 4 === types.publish;
  const topicBytes = isPublish && head.length >= body + 2 ? head.readUInt16BE(body) : 0;
  return headBytes + topicBytes - head.length;
}
