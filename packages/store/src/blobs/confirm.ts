// A server's word for an upload is not enough: what it has stored is read back and compared.
import type { Readable } from "node:stream";
import { StoreError } from "../store-error.ts";
import { hashOf } from "./hashed.ts";

export type ConfirmedParts = {
  place: string;
  sent: { size: number; sha256: string };
  open(): Promise<Readable | undefined>;
};

/** Throws `corrupt` if other bytes are stored than were sent. */
export async function confirmStored({ place, sent, open }: ConfirmedParts): Promise<void> {
  const stream = await open();
  const stored = stream && (await hashOf(stream));
  if (stored?.size === sent.size && stored.sha256 === sent.sha256) return;
  const found = stored ? `${stored.size} bytes, SHA-256 ${stored.sha256}` : "nothing";
  throw new StoreError(
    "corrupt",
    `${place}: ${sent.size} bytes, SHA-256 ${sent.sha256}, were sent; it stored ${found}`,
  );
}
