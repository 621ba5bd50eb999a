// How much one device may send: what is too much at QoS 0 is dropped, for all else the device is read more slowly.
import { openTokenBucket, type TokenBucket } from "@parley/runtime";
import { types } from "../packets/packets.ts";

export interface UplinkLimits {
  /** packets a second, and at once */
  packets: number;
  packetsBurst: number;
  /** bytes a second, and at once */
  bytes: number;
  bytesBurst: number;
}

export interface UplinkRates {
  /** Counts a packet by its first byte and its length: `drop`, or the ms for which the device is to be read no further. */
  count(first: number, length: number): number | "drop";
  /** Counts a part of a packet that is passed over: the same ms. */
  countPiece(first: number, length: number): number;
}

/** A SUBSCRIBE costs by its filters, of which it holds at most one in so many bytes that anybody would name. */
const filterBytes = 64;
/** So that a silent pause is not taken for a dead connection. */
const longestPauseMs = 5_000;

export function openUplinkRates(limits: UplinkLimits): UplinkRates {
  return new Rates(limits);
}

class Rates implements UplinkRates {
  readonly #packets: TokenBucket;
  readonly #bytes: TokenBucket;

  constructor({ packets, packetsBurst, bytes, bytesBurst }: UplinkLimits) {
    this.#packets = openTokenBucket({ rate: packets, burst: packetsBurst });
    this.#bytes = openTokenBucket({ rate: bytes, burst: bytesBurst });
  }

  count(first: number, length: number): number | "drop" {
    const type = first >> 4;
    const pauseMs = this.#bytes.spend(length);
    // Confirmations answer what the device was sent, which has a rate of its own.
    if (type >= types.puback && type <= types.pubcomp) return Math.min(pauseMs, longestPauseMs);
    const isDroppable = type === types.publish && (first & 6) === 0;
    if (isDroppable) return this.#packets.take() > 0 ? "drop" : Math.min(pauseMs, longestPauseMs);
    const slowMs = isFilters(type) ? this.#filterPause(length) : this.#packets.spend(1);
    return Math.min(Math.max(pauseMs, slowMs), longestPauseMs);
  }

  countPiece(first: number, length: number): number {
    const slowMs = isFilters(first >> 4) ? this.#filterPause(length) : 0;
    return Math.min(Math.max(this.#bytes.spend(length), slowMs), longestPauseMs);
  }

  #filterPause(length: number): number {
    return this.#packets.spend(Math.ceil(length / filterBytes));
  }
}

function isFilters(type: number): boolean {
  return type === types.subscribe || type === types.unsubscribe;
}
