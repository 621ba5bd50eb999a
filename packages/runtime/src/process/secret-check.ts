// The one comparison with a secret.
import { hash, timingSafeEqual } from "node:crypto";

/** Compares digests, so that neither the length of the secret nor the first wrong byte can be timed. */
export function secretCheck(secret: string): (given: string) => boolean {
  const expected = digest(secret);
  return (given) => timingSafeEqual(digest(given), expected);
}

function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}
