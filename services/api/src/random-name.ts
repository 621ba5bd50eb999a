// Short names that are made up: devices, rooms.
import { hash, randomBytes } from "node:crypto";

const alphabet = "abcdefghijklmnopqrstuvwxyz234567";

/** `length` (≤ 32) of `a-z 2-7`: random, or always the same for one `seed`. */
export function randomName(length: number, seed?: string): string {
  const bytes = seed === undefined ? randomBytes(length) : hash("sha256", seed, "buffer").subarray(0, length);
  return Array.from(bytes, (byte) => alphabet[byte % 32]).join("");
}
