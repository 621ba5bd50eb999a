// Reads the filters of a SUBSCRIBE or UNSUBSCRIBE that is too large to be kept, piece by piece as it is passed over.
import type { Version } from "./packets.ts";

export interface FilterReader {
  /** Takes what arrived, from the variable header on. */
  take(piece: Buffer): void;
  /** 0 until it has come */
  packetId(): number;
  /** How many filters there were; undefined when the packet ended amid one, or had none. */
  end(): number | undefined;
}

export interface FilterPacket {
  isSubscribe: boolean;
  version: Version;
  /** Told of each filter, without its length; the bytes may change afterwards. Without it no byte of them is kept. */
  onFilter?(filter: Buffer): void;
}

/** What comes next: so many bytes, and what they are. */
type Part = "packetId" | "propertyLength" | "properties" | "filterLength" | "filter" | "options" | "malformed";

const noBytes = Buffer.alloc(0);
/** A length has four bytes at most [MQTT-1.5.5]. */
const longestScale = 128 ** 4;

export function openFilterReader({ isSubscribe, version, onFilter }: FilterPacket): FilterReader {
  let part: Part = "packetId";
  let left = 2;
  /** of the number that is being read */
  let value = 0;
  let scale = 1;
  let packetId = 0;
  let count = 0;
  let filterLength = 0;
  let filter: Buffer = noBytes;

  function begin(next: Part, bytes: number): void {
    part = next;
    left = bytes;
    value = 0;
    scale = 1;
  }

  /** The next part, once all bytes of the one before have come. */
  function proceed(): void {
    if (part === "packetId") {
      packetId = value;
      if (version === 5) begin("propertyLength", 1);
      else begin("filterLength", 2);
    } else if (part === "propertyLength") begin("properties", value);
    else if (part === "properties" || part === "options") begin("filterLength", 2);
    else if (part === "filterLength") {
      filterLength = value;
      filter = noBytes;
      begin("filter", value);
    } else {
      count += 1;
      onFilter?.(filter);
      if (isSubscribe) begin("options", 1);
      else begin("filterLength", 2);
    }
  }

  function takeByte(byte: number): void {
    if (part === "propertyLength") {
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) left = 0;
      else if (scale === longestScale) begin("malformed", Number.POSITIVE_INFINITY);
    } else {
      value = value * 256 + byte;
      left -= 1;
    }
  }

  /** A filter that comes whole, as nearly all do, is not copied. */
  function takeRun(run: Buffer): void {
    if (part === "filter" && onFilter !== undefined) {
      if (run.length === filterLength) filter = run;
      else {
        if (left === filterLength) filter = Buffer.allocUnsafeSlow(filterLength);
        run.copy(filter, filterLength - left);
      }
    }
    left -= run.length;
  }

  return {
    take(piece) {
      for (let at = 0; at < piece.length && part !== "malformed"; ) {
        if (part === "properties" || part === "filter") {
          const until = Math.min(piece.length, at + left);
          takeRun(piece.subarray(at, until));
          at = until;
        } else takeByte(piece[at++]!);
        while (left === 0) proceed();
      }
    },
    packetId: () => packetId,
    end: () => (part === "filterLength" && left === 2 && count > 0 ? count : undefined),
  };
}
