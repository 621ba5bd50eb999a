// The digests in channel ids. The only file of the dialects that needs node:crypto, which does no I/O here.
import { hash } from "node:crypto";

/** The first 24 hex digits of the SHA-256 of a text. */
export function digest24(text: string): string {
  return hash("sha256", text).slice(0, 24);
}
