// Compressed terms. The only file of the dialects that needs node:zlib, which does no I/O here.
import { inflateSync } from "node:zlib";
import { BertError } from "./term.ts";

/** What zlib packed, which must be `bytes` long. What stands behind it is passed over. */
export function inflate(packed: Uint8Array, bytes: number): Uint8Array {
  try {
    const inflated = inflateSync(packed, { maxOutputLength: Math.max(1, bytes) });
    if (inflated.byteLength === bytes) return inflated;
  } catch {
    // torn, or longer than it says
  }
  throw new BertError("a compressed term that is torn, or not as long as it says");
}
