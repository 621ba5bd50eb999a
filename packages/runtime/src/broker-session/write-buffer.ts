// The bytes of one event-loop turn: PUBLISH and PUBACK are encoded side by side, so that a turn is one write.

const SLAB_BYTES = 256 * 1024;
/** A larger payload is handed to the socket as it is instead of being copied. */
const COPY_BYTES = 16 * 1024;

export type EncodedPublish = {
  topic: string;
  payload: Uint8Array;
  /** The properties without their length, see properties.ts. */
  properties: Uint8Array;
  qos: 0 | 1;
  dup: boolean;
  /** 0 with QoS 0. */
  id: number;
};

function variableLength(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4;
}

function remainingLength(topicBytes: number, properties: Uint8Array, payload: Uint8Array, qos: 0 | 1): number {
  return 2 + topicBytes + 2 * qos + variableLength(properties.length) + properties.length + payload.length;
}

/** Bytes of a PUBLISH on the wire, to compare with the broker's Maximum Packet Size. */
export function publishBytes(packet: Omit<EncodedPublish, "id" | "dup">): number {
  const remaining = remainingLength(Buffer.byteLength(packet.topic), packet.properties, packet.payload, packet.qos);
  return 1 + variableLength(remaining) + remaining;
}

export class WriteBuffer {
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #start = 0;
  #end = 0;
  #chunks: Uint8Array[] = [];
  #chunkBytes = 0;

  /** Bytes that `take` will answer. */
  get length(): number {
    return this.#chunkBytes + this.#end - this.#start;
  }

  publish(packet: EncodedPublish): void {
    const { topic, payload, properties, qos } = packet;
    const topicBytes = Buffer.byteLength(topic);
    const remaining = remainingLength(topicBytes, properties, payload, qos);
    const copied = payload.length <= COPY_BYTES;
    this.#reserve(5 + remaining - (copied ? 0 : payload.length));
    const slab = this.#slab;
    slab[this.#end++] = 0x30 | (packet.dup ? 8 : 0) | (qos << 1);
    this.#variable(remaining);
    this.#uint16(topicBytes);
    this.#end += slab.write(topic, this.#end);
    if (qos === 1) this.#uint16(packet.id);
    this.#variable(properties.length);
    if (properties.length > 0) this.#bytes(properties);
    if (copied) this.#bytes(payload);
    else this.raw(payload);
  }

  puback(id: number): void {
    this.#reserve(4);
    this.#slab[this.#end++] = 0x40;
    this.#slab[this.#end++] = 2;
    this.#uint16(id);
  }

  /** Bytes that are a packet already, or the rest of one. They must not change before they are written. */
  raw(bytes: Uint8Array): void {
    this.#cut();
    this.#chunks.push(bytes);
    this.#chunkBytes += bytes.length;
  }

  /** What was encoded since the last call. */
  take(): Uint8Array[] {
    this.#cut();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#chunkBytes = 0;
    return chunks;
  }

  /** Nobody reads any more what `take` answered before: its memory is written again, which saves page faults. */
  recycle(): void {
    if (this.length > 0) return;
    this.#start = 0;
    this.#end = 0;
  }

  #cut(): void {
    if (this.#end === this.#start) return;
    this.#chunks.push(this.#slab.subarray(this.#start, this.#end));
    this.#chunkBytes += this.#end - this.#start;
    this.#start = this.#end;
  }

  /** A full slab is left to the socket, which may still hold what was cut from it. */
  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#slab.length) return;
    this.#cut();
    this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
    this.#start = 0;
    this.#end = 0;
  }

  #bytes(bytes: Uint8Array): void {
    this.#slab.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  #uint16(value: number): void {
    this.#slab[this.#end++] = value >>> 8;
    this.#slab[this.#end++] = value & 0xff;
  }

  #variable(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#slab[this.#end++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#slab[this.#end++] = rest;
  }
}
