// What a document's key may be, in every engine.
import { StoreError } from "./store-error.ts";

const keyBytesMax = 512;

/** Answers the key. Throws `invalid_key`: two keys that differ only in what cannot be stored would meet. */
export function checkKey(key: string): string {
  const bytes = Buffer.byteLength(key);
  if (bytes > 0 && bytes <= keyBytesMax && key.isWellFormed() && !key.includes("\0")) return key;
  throw new StoreError("invalid_key", `a key is 1 to ${keyBytesMax} bytes of well-formed text, this one has ${bytes}`);
}
