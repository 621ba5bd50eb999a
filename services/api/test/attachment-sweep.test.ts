// Attachments that were not sent go after a day, with their bytes; those that were sent stay, whoever uploads the same again.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { FreedFile, FreedRequest } from "@parley/protocol";
import { openBlobs, openStore } from "@parley/store";
import { keepAttachment } from "../src/files/attachments.ts";
import { openLooks } from "../src/files/looks.ts";
import { addPieces, createUpload, sweepUnfinished } from "../src/files/resumable/uploads.ts";
import { sendableFiles } from "../src/files/sendable.ts";
import { countStored } from "../src/files/stored.ts";
import { nobodysForMs, type SweepCounts, sweep, sweepFreed, unsentForMs, uploadLifeMs } from "../src/files/sweep.ts";
import { openApiStore } from "../src/store.ts";

const pass = () => undefined;
const later = () => Date.now() + nobodysForMs + 1_000;

async function begin(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "parley-sweep-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const storeUrl = `sqlite:${folder}`;
  const opened = await openStore(storeUrl, { service: "api", lockWaitMs: 0 });
  t.after(() => opened.close());
  const [store, blobs] = [await openApiStore(opened.documents()), await openBlobs({ service: "api", storeUrl })];
  const sent = new Set<string>();
  const freed: FreedFile[] = [];
  const history = {
    // Looks one up at a time, as history may where that is much work.
    sentFiles: async ([file = ""]: readonly string[]) => ({ sent: sent.has(file) ? [file] : [], taken: 1 }),
    async freedFiles({ removed }: FreedRequest) {
      for (const one of removed)
        freed.splice(
          freed.findIndex(({ version }) => version === one.version),
          1,
        );
      return { files: [...freed], next: null };
    },
  };
  const removed: string[] = [];
  const counts: SweepCounts = { removed: (why, count) => count > 0 && removed.push(why), stored: () => undefined };
  const put = (bytes: Uint8Array) =>
    blobs.put(
      (async function* () {
        yield bytes;
      })(),
    );
  return {
    store,
    blobs,
    counts,
    removed,
    sent,
    put,
    keep: async (bytes: Uint8Array) =>
      (
        await keepAttachment(
          { store, blobs, looks: openLooks(), wake: () => undefined, scans: false, pass: () => undefined },
          { uid: "ann", name: "a", type: "text/plain", stored: await put(bytes) },
        )
      ).id,
    sweep: (nowMs: number) => sweep({ store, blobs, history, counts, pass }, nowMs),
    sweepFreed: (nowMs: number) => sweepFreed({ store, blobs, history, counts, pass }, nowMs),
    freed,
    async isThere(id: string) {
      const found = await store.attachments.get(id);
      const stream = found && (await blobs.open(found.doc.blob));
      stream?.destroy();
      assert.equal(stream !== undefined, found !== undefined, "an attachment has bytes as long as it is there");
      return found !== undefined;
    },
  };
}

test("what was not sent within a day goes; what was sent, and what is younger, stays", async (t) => {
  const { keep, sweep: turn, isThere, sent } = await begin(t);
  const [unsent, kept] = [await keep(randomBytes(10)), await keep(randomBytes(10))];
  sent.add(kept);
  await turn(Date.now());
  assert.deepEqual([await isThere(unsent), await isThere(kept)], [true, true]);
  await turn(later());
  assert.deepEqual([await isThere(unsent), await isThere(kept)], [false, true]);
  // It is known now: nobody is asked again.
  sent.clear();
  await turn(later());
  assert.equal(await isThere(kept), true);
});

test("a file whose message is about to be stored is not swept under it", async (t) => {
  const { keep, sweep: turn, isThere, store } = await begin(t);
  const id = await keep(randomBytes(10));
  const found = await store.attachments.get(id);
  assert.ok(found);
  const justBefore = Date.now() - unsentForMs + 1_000;
  await store.attachments.update(id, { ...found.doc, unsentSince: justBefore }, found.version);
  const asked = { history: { mayFetch: async () => false }, store };
  assert.deepEqual(await sendableFiles(asked, [{ file: id, uid: "ann" }]), { answers: ["yes"] });
  await turn(Date.now() + 2_000);
  assert.equal(await isThere(id), true);
});

test("equal bytes stay as long as one attachment has them, and go with the last one", async (t) => {
  const { keep, sweep: turn, isThere, sent, store, blobs } = await begin(t);
  const bytes = randomBytes(1_000);
  const [one, other] = [await keep(bytes), await keep(bytes)];
  const blobOf = async (id: string) => (await store.attachments.get(id))?.doc.blob;
  const blob = (await blobOf(one))!;
  assert.equal(blob, await blobOf(other));
  sent.add(other);
  await turn(later());
  assert.deepEqual([await isThere(one), await isThere(other)], [false, true]);
  await store.attachments.remove(other);
  await turn(later());
  assert.equal(await blobs.open(blob), undefined);
  assert.equal(await isThere(await keep(bytes)), true);
});

test("a thumbnail stays as long as its file, and goes with it, whichever way that goes; one that nothing refers to is swept", async (t) => {
  const { keep, put, sweep: turn, sweepFreed: turnFreed, freed, sent, store, blobs } = await begin(t);
  const withThumbnail = async () => {
    const file = await keep(randomBytes(1_000));
    sent.add(file);
    const { sha256 } = (await store.attachments.get(file))!.doc;
    const known = (await store.contents.get(sha256))!;
    const { id, size } = await put(randomBytes(10));
    const thumbnail = { blob: id, size, type: "image/webp", width: 1, height: 1 };
    const looked = { type: "image/png", size: 1_000, state: "ready", tries: 1, thumbnail } as const;
    await store.contents.update(sha256, { ...known.doc, looked }, known.version);
    return { file, blob: id };
  };
  const isKept = async (blob: string) => {
    const stream = await blobs.open(blob);
    stream?.destroy();
    return stream !== undefined;
  };
  const [unsent, recalled, stays] = [await withThumbnail(), await withThumbnail(), await withThumbnail()];
  const lost = (await put(randomBytes(10))).id;
  sent.delete(unsent.file);
  await turn(later());
  sent.delete(recalled.file);
  freed.push({ file: recalled.file, version: 1 });
  await turnFreed(later());
  const all = [unsent.blob, recalled.blob, stays.blob, lost];
  assert.deepEqual(await Promise.all(all.map(isKept)), [false, false, true, false]);
});

test("what is stored is counted, equal bytes once, and what a sweep removes by its reason", async (t) => {
  const { keep, put, sweep: turn, removed, store } = await begin(t);
  const bytes = randomBytes(1_000);
  for (const one of [bytes, randomBytes(50), bytes]) await keep(one);
  assert.deepEqual(await countStored(store, () => false), { attachments: 3, bytes: 1_050 });
  await put(randomBytes(10));
  await turn(later());
  assert.deepEqual(removed.toSorted(), ["unsent", "unsent", "unsent", "unused"]);
  assert.deepEqual(await countStored(store, () => false), { attachments: 0, bytes: 0 });
});

test("history that cannot be asked removes nothing", async (t) => {
  const { keep, isThere, store, blobs, counts } = await begin(t);
  const id = await keep(randomBytes(10));
  const away = () => Promise.reject(new Error("away"));
  const history = { sentFiles: away, freedFiles: away };
  await assert.rejects(sweep({ store, blobs, history, counts, pass }, later()), /away/);
  await assert.rejects(sweepFreed({ store, blobs, history, counts, pass }, later()), /away/);
  assert.equal(await isThere(id), true);
});

test("bytes that an upload left when it died are removed, and are not found by their hash", async (t) => {
  const { put, keep, sweep: turn, isThere, store, blobs } = await begin(t);
  const bytes = randomBytes(1_000);
  // It died behind its put, or behind the note of where these bytes are.
  const [lost, noted] = [await put(randomBytes(10)), await put(bytes)];
  await store.contents.insert(noted.sha256, { blob: noted.id, usedAt: Date.now() });
  await turn(later());
  assert.deepEqual([await blobs.open(lost.id), await blobs.open(noted.id)], [undefined, undefined]);
  assert.equal(await isThere(await keep(bytes)), true);
});

test("bytes that an upload has just found are not taken from it", async (t) => {
  const { keep, sweep: turn, store, blobs } = await begin(t);
  const bytes = randomBytes(1_000);
  const { blob, sha256 } = (await store.attachments.get(await keep(bytes)))!.doc;
  const known = (await store.contents.get(sha256))!;
  await store.contents.update(sha256, { ...known.doc, usedAt: later() }, known.version);
  await turn(later());
  const stream = await blobs.open(blob);
  assert.notEqual(stream, undefined);
  stream?.destroy();
});

test("an upload that nobody finished goes after a day with its pieces, and not before", async (t) => {
  const { put, store, blobs } = await begin(t);
  const upload = await createUpload(store, { uid: "ann", name: "a", size: 100, metadata: "" });
  const { id, size } = await put(randomBytes(10));
  await addPieces({ store, blobs }, upload, [{ blob: id, size }]);
  const isThere = async () => {
    const stream = await blobs.open(id);
    stream?.destroy();
    return [(await store.uploads.get(upload.key)) !== undefined, stream !== undefined];
  };
  await sweepUnfinished({ store, blobs, pass }, Date.now() + uploadLifeMs - 1_000);
  assert.deepEqual(await isThere(), [true, true]);
  await sweepUnfinished({ store, blobs, pass }, Date.now() + uploadLifeMs + 1_000);
  assert.deepEqual(await isThere(), [false, false]);
});

test("a file that stands in no message any more goes with its bytes, unless it was uploaded just now, and history forgets it", async (t) => {
  const { keep, sweepFreed: turn, isThere, sent, store, blobs, freed } = await begin(t);
  const bytes = randomBytes(1_000);
  const [recalled, same, other] = [await keep(bytes), await keep(bytes), await keep(randomBytes(10))];
  sent.add(same);
  freed.push({ file: recalled, version: 1 }, { file: other, version: 2 }, { file: `f-${"a".repeat(32)}`, version: 3 });
  const { blob } = (await store.attachments.get(other))!.doc;
  await turn(Date.now());
  assert.deepEqual([await isThere(recalled), freed.length], [true, 2], "what is gone already is forgotten");
  await turn(Date.now() + 60 * 60_000);
  assert.deepEqual(await Promise.all([recalled, same, other].map(isThere)), [false, true, false]);
  assert.equal(await blobs.open(blob), undefined);
  assert.equal(freed.length, 0);
});

test("a file that is sent again while it is freed stays with its bytes", async (t) => {
  const { keep, sweepFreed: turn, isThere, sent, freed } = await begin(t);
  const [gone, again] = [await keep(randomBytes(10)), await keep(randomBytes(10))];
  freed.push({ file: gone, version: 1 }, { file: again, version: 2 });
  sent.add(again);
  await turn(Date.now() + 60 * 60_000);
  assert.deepEqual([await isThere(gone), await isThere(again)], [false, true]);
});

test("what a message refers to that is sent later stays until it is sent or taken back, however late that is", async (t) => {
  const { keep, sweep: turn, sweepFreed: turnFreed, freed, isThere, store } = await begin(t);
  const [file, again] = [await keep(randomBytes(10)), await keep(randomBytes(10))];
  const doc = { uid: "ann", device: "ann", conv: "p2p/ann/bob", body: "{}", at: 1 };
  await store.scheduled.insert("ann 1", { ...doc, id: "1", file });
  await store.scheduled.insert("ann 2", { ...doc, id: "2", file: again });
  freed.push({ file: again, version: 1 });
  await turn(later());
  await turnFreed(later());
  assert.deepEqual([await isThere(file), await isThere(again)], [true, true]);
  for (const key of ["ann 1", "ann 2"]) await store.scheduled.remove(key);
  await turn(later() + nobodysForMs + 1_000);
  await turnFreed(later());
  assert.deepEqual([await isThere(file), await isThere(again)], [false, false]);
});
