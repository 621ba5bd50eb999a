// What a device was sent at QoS 1 and 2 and has not confirmed: the broker keeps it, and queues as much again behind it.
import type { Framing } from "../packets/framing.ts";
import { publishIdAt, types } from "../packets/packets.ts";

type Place = Pick<Framing, "bytes" | "start" | "body" | "end">;

export interface Owed {
  /** A PUBLISH goes out to the device. */
  sent(frame: Place): void;
  /** PUBACK, PUBREC or PUBCOMP came. */
  confirmed(frame: Place): void;
  bytes(): number;
  /** how many */
  readonly size: number;
  has(packetId: number): boolean;
  /** Looks, about once a second, since when (ms of `now`) the oldest has been waiting; undefined: nothing does. */
  look(now: number): number | undefined;
}

/** PUBREC with a code from here on refuses, and no PUBCOMP follows. */
const refusesFrom = 0x80;

export function openOwed(): Owed {
  return new OwedPackets();
}

class OwedPackets implements Owed {
  /** packet id → bytes, oldest first; an idle device has none */
  #packets: Map<number, number> | undefined;
  #bytes = 0;
  #oldest: number | undefined;
  #since: number | undefined;

  sent({ bytes, start, body, end }: Place): void {
    if ((bytes[start]! & 6) === 0) return;
    const packetId = bytes.readUInt16BE(publishIdAt(bytes, body));
    this.#take(packetId);
    this.#packets ??= new Map();
    this.#packets.set(packetId, end - start);
    this.#bytes += end - start;
  }

  confirmed({ bytes, start, body, end }: Place): void {
    const isRec = bytes[start]! >> 4 === types.pubrec;
    if (isRec && (end - body < 3 || bytes[body + 2]! < refusesFrom)) return;
    this.#take(bytes.readUInt16BE(body));
  }

  bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#packets?.size ?? 0;
  }

  has(packetId: number): boolean {
    return this.#packets?.has(packetId) ?? false;
  }

  look(now: number): number | undefined {
    const first: number | undefined = this.#packets?.keys().next().value;
    if (first === undefined) this.#packets = this.#since = undefined;
    else if (first !== this.#oldest) this.#since = now;
    this.#oldest = first;
    return this.#since;
  }

  #take(packetId: number): void {
    if (this.#packets === undefined) return;
    this.#bytes -= this.#packets.get(packetId) ?? 0;
    this.#packets.delete(packetId);
    if (packetId === this.#oldest) this.#oldest = undefined;
  }
}
