// A server that stores other bytes than it was sent is found out.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { test } from "node:test";
import { StoreError } from "../store-error.ts";
import { confirmStored } from "./confirm.ts";

const bytes = Buffer.from("the bytes that were sent");
const sent = { size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
const stores = (stored: Buffer | undefined) => ({
  place: "s3+http://somewhere/files",
  sent,
  open: async () => (stored === undefined ? undefined : Readable.from([stored])),
});

test("what a server stored is compared with what it was sent, byte by byte", async () => {
  await confirmStored(stores(bytes));
  const isCorrupt = (error: unknown) => error instanceof StoreError && error.code === "corrupt";
  for (const other of [undefined, Buffer.alloc(0), Buffer.from(bytes).fill("x", 3, 4), Buffer.concat([bytes, bytes])])
    await assert.rejects(confirmStored(stores(other)), isCorrupt);
});
