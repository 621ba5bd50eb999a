import assert from "node:assert/strict";
import { test } from "node:test";
import type { Blobs, Collection } from "@parley/store";
import sharp from "sharp";
import { openShares } from "../http/shares.ts";
import { inMemory } from "../location/in-memory.ts";
import type { AttachmentDoc, ContentDoc } from "../store.ts";
import { bytesFor, sharedOf } from "./for-others.ts";
import { openLooks } from "./looks.ts";

const photo = await sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } })
  .jpeg()
  .withExif({ IFD3: { GPSLatitudeRef: "N", GPSLatitude: "50/1 27/1 0/1" } })
  .toBuffer();
const attachment: AttachmentDoc = {
  ...{ uid: "ann", name: "a.jpg", type: "image/jpeg", size: photo.length, sha256: "0".repeat(64) },
  ...{ blob: "b", createdAt: 0 },
};

// Of one document; `meanwhile` happens before each write.
function partsWith(content: ContentDoc | undefined, meanwhile: () => void = () => undefined) {
  let kept = content && { key: "k", doc: content, version: 1 };
  let opened = 0;
  const contents = {
    get: async () => kept,
    update: async (_key: string, doc: ContentDoc, version: number) => {
      meanwhile();
      if (kept?.version !== version) return false;
      kept = { key: "k", doc, version: version + 1 };
      return true;
    },
  };
  const { open } = inMemory(photo);
  const blobs = {
    open: (...of: Parameters<Blobs["open"]>) => {
      opened += 1;
      return open(...of);
    },
  };
  return {
    parts: {
      store: { contents: contents as unknown as Collection<ContentDoc> },
      ...{ blobs: blobs as Blobs, looks: openLooks() },
    },
    kept: () => kept?.doc,
    opened: () => opened,
    change(doc: ContentDoc) {
      if (kept) kept = { ...kept, doc, version: kept.version + 1 };
    },
  };
}

test("of a file from before this was looked for it is looked for once, when another asks, and kept", async () => {
  const made = partsWith({ blob: "b", usedAt: 0 });
  assert.deepEqual(await bytesFor(made.parts, attachment, "ann"), { sha256: attachment.sha256, changes: [] });
  assert.equal(made.opened(), 0);
  const shared = await bytesFor(made.parts, attachment, "bob");
  assert.ok(shared.changes.length > 0 && shared.sha256 !== attachment.sha256);
  assert.deepEqual(made.kept(), { blob: "b", usedAt: 0, shared });
  const opened = made.opened();
  assert.deepEqual(await bytesFor(made.parts, attachment, "eve"), shared);
  assert.equal(made.opened(), opened);
});

test("what else is noted of the bytes meanwhile stays", async () => {
  let isFirst = true;
  const made = partsWith({ blob: "b", usedAt: 0 }, () => {
    if (isFirst) made.change({ blob: "b", usedAt: 5 });
    isFirst = false;
  });
  const shared = await sharedOf(made.parts, attachment);
  assert.deepEqual(made.kept(), { blob: "b", usedAt: 5, shared: shared! });
});

test("before an upload's end nothing is noted, and yet others do not get it as it is", async () => {
  const made = partsWith(undefined);
  assert.ok((await bytesFor(made.parts, attachment, "bob")).changes.length > 0);
  assert.equal(made.kept(), undefined);
});

test("who has a file from a user that is gone gets what others get", async () => {
  const { parts } = partsWith(undefined);
  assert.ok((await bytesFor(parts, { ...attachment, handedOn: true }, "ann")).changes.length > 0);
});

test("several who ask first at once share one walk", async () => {
  const alone = partsWith({ blob: "b", usedAt: 0 });
  await bytesFor(alone.parts, attachment, "bob");
  const made = partsWith({ blob: "b", usedAt: 0 });
  const all = await Promise.all(["bob", "eve", "carl"].map((uid) => bytesFor(made.parts, attachment, uid)));
  assert.equal(made.opened(), alone.opened());
  for (const shared of all) assert.deepEqual(shared, made.kept()?.shared);
});

test("a file that is looked into takes a place of who asks, until that ends; one that is known takes none", async () => {
  const { parts } = partsWith({ blob: "b", usedAt: 0 });
  const shares = openShares(2, 1);
  const first = bytesFor(parts, attachment, "bob", shares);
  await assert.rejects(bytesFor(parts, attachment, "bob", shares), { code: "rate_limited" });
  await first;
  assert.equal(shares.taken(), 0);
  const release = shares.take("bob");
  assert.ok((await bytesFor(parts, attachment, "bob", shares)).changes.length > 0);
  release?.();
});

test("a file that stands still where it is kept, or when the server stops, is unavailable, and nothing is noted of it", async () => {
  const open = () => new Promise<undefined>(() => undefined);
  for (const end of ["deadline", "stop"]) {
    const made = partsWith({ blob: "b", usedAt: 0 });
    const looks = openLooks(end === "deadline" ? 20 : 60_000);
    const asked = bytesFor({ ...made.parts, blobs: { ...made.parts.blobs, open }, looks }, attachment, "bob");
    if (end === "stop") setImmediate(() => looks.stop());
    await assert.rejects(asked, { code: "unavailable" });
    assert.equal(made.kept()?.shared, undefined);
    assert.ok((await bytesFor(made.parts, attachment, "bob")).changes.length > 0);
  }
});

test("of a file that is gone nothing is noted: others may have the same bytes", async () => {
  const made = partsWith({ blob: "b", usedAt: 0 });
  const blobs = { ...made.parts.blobs, open: async () => undefined };
  assert.equal(await sharedOf({ ...made.parts, blobs }, attachment), undefined);
  assert.equal(made.kept()?.shared, undefined);
});
