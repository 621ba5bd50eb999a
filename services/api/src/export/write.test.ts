// An export whose session is ended, entry by entry: the store and the answers are small ones of this file.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Archive } from "./archive.ts";
import type { Ask } from "./ask.ts";
import { type ExportParts, writeExport } from "./write.ts";

const none = { aliases: [], devices: [], tokens: [], contacts: [], rooms: [], invitations: [], stars: [], drafts: [] };
const ask = (async () => ({ ...none, scheduled: [], conversations: [], next: null })) as unknown as Ask;
const store = {
  users: { get: async () => ({ key: "ann", version: 1, doc: {} }) },
  storage: { find: async () => ({ items: [], next: null }) },
  attachments: { find: async () => ({ items: [], next: null }) },
};

/** The entries that were begun, and whether the directory was written; the session ends with the entry `last`. */
async function exportUntil(last: string): Promise<{ entries: string[]; ended: boolean; failed: unknown }> {
  const entries: string[] = [];
  let [isRevoked, ended] = [false, false];
  const archive: Archive = {
    bytes: undefined as never,
    over: new AbortController().signal,
    async add(path, source) {
      for await (const _ of source);
      entries.push(path);
      isRevoked ||= path === last;
    },
    end: () => {
      ended = true;
    },
  };
  const parts = { store, scans: false } as unknown as ExportParts;
  const failed = await writeExport(parts, { uid: "ann", ask, isRevoked: () => isRevoked }, archive).catch(
    (error) => error,
  );
  return { entries, ended, failed };
}

test("whichever entry is the last one when its session is ended, an export has no directory, and no entry more", async () => {
  const { entries, ended } = await exportUntil("");
  assert.ok(ended && entries.at(-1) === "manifest.json");
  for (const [index, last] of entries.entries()) {
    const cut = await exportUntil(last);
    assert.deepEqual([cut.ended, (cut.failed as { code?: string }).code], [false, "unauthenticated"], last);
    assert.deepEqual(cut.entries, entries.slice(0, index + 1));
  }
});
