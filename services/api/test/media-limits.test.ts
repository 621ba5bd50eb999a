// What a file may cost that is looked at: beyond its time or memory its program is killed, and the next file is looked at.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, test } from "node:test";
import { type Blobs, openBlobs, openStore, StoreError } from "@parley/store";
import { eventually, serviceContext } from "@parley/testkit";
import sharp from "sharp";
import { keepAttachment } from "../src/files/attachments.ts";
import { openLooks } from "../src/files/looks.ts";
import { startLooking } from "../src/media/looking.ts";
import { openApiStore } from "../src/store.ts";

const folder = await mkdtemp(join(tmpdir(), "parley-media-limits-"));
after(() => rm(folder, { recursive: true, force: true }));
const storeUrl = `sqlite:${folder}`;
const opened = await openStore(storeUrl, { service: "api", lockWaitMs: 0 });
after(() => opened.close());
const store = await openApiStore(opened.documents());
const blobs = await openBlobs({ service: "api", storeUrl });
after(() => blobs.close());

const enough = { timeMs: 60_000, memoryBytes: 2 ** 31, pixels: 64_000_000, hasFfmpeg: false, readMs: 60_000 };
const { log } = serviceContext("api");

function look(limits: typeof enough, from: Blobs = blobs) {
  const parts = { store, log, isAlone: false, atOnce: 1, pass: () => undefined, tell: async () => undefined };
  return startLooking({ ...parts, blobs: from, limits });
}

/** Until nothing waits that is due. */
async function lookWith(limits: typeof enough, hash: string): Promise<void> {
  const tries = (await store.contents.get(hash))?.doc.looked?.tries ?? 0;
  const looking = look(limits);
  await eventually(
    async () => {
      const looked = (await store.contents.get(hash))?.doc.looked;
      return looked?.state !== "pending" || (looked.tries > tries && looked.dueAt! < Date.now() + 100_000);
    },
    { timeoutMs: 150_000 },
  );
  await looking.close();
}

async function keep(side: number): Promise<string> {
  const bytes = await sharp({ create: { width: side, height: side, channels: 3, background: "red" } })
    .png()
    .toBuffer();
  const stored = await blobs.put(
    (async function* () {
      yield bytes;
    })(),
  );
  await keepAttachment(
    { store, blobs, looks: openLooks(), wake: () => undefined, scans: false, pass: () => undefined },
    { uid: "ann", name: "a", type: "image/png", stored },
  );
  return stored.sha256;
}

const lookedOf = async (hash: string) => (await store.contents.get(hash))!.doc.looked!;

test("a file for which a program takes too long is tried again later, and given up after three tries", async () => {
  const hash = await keep(10);
  const tooShort = { ...enough, timeMs: 1 };
  for (const tries of [1, 2]) {
    await lookWith(tooShort, hash);
    const looked = await lookedOf(hash);
    assert.deepEqual([looked.state, looked.tries], ["pending", tries]);
    assert.ok(looked.dueAt! > Date.now(), "later");
    const { doc, version } = (await store.contents.get(hash))!;
    await store.contents.update(hash, { ...doc, looked: { ...looked, dueAt: 0 } }, version);
  }
  await lookWith(tooShort, hash);
  const { state, reason, dueAt, thumbnail } = await lookedOf(hash);
  assert.deepEqual([state, reason, dueAt, thumbnail], ["failed", "too_slow", undefined, undefined]);
});

test("a file for which a program takes too much memory is given up, and the next one is looked at", async () => {
  const large = await keep(3_000);
  await lookWith({ ...enough, memoryBytes: 10_000_000 }, large);
  assert.deepEqual([(await lookedOf(large)).state, (await lookedOf(large)).reason], ["failed", "too_large"]);
  const small = await keep(20);
  await lookWith(enough, small);
  assert.deepEqual([(await lookedOf(small)).state, (await lookedOf(small)).made], ["ready", { width: 20, height: 20 }]);
});

/** Begins, and brings no byte of this one. */
function stalling(hash: string, opened: Readable[]): Blobs {
  return {
    ...blobs,
    async open(id, range) {
      if (id !== (await store.contents.get(hash))!.doc.blob) return blobs.open(id, range);
      opened.push(new Readable({ read: () => undefined }));
      return opened.at(-1);
    },
  };
}

test("a file whose bytes do not come in time is let go, and the next one is looked at", async () => {
  const stalled = await keep(31);
  const next = await keep(32);
  const opened: Readable[] = [];
  const looking = look({ ...enough, readMs: 300 }, stalling(stalled, opened));
  await eventually(async () => (await lookedOf(next)).state === "ready", { timeoutMs: 150_000 });
  const { state, tries, dueAt } = await lookedOf(stalled);
  assert.deepEqual([state, tries, dueAt! > Date.now()], ["pending", 1, true]);
  assert.ok(opened.every(({ destroyed }) => destroyed));
  await looking.close();
});

test("a stop does not wait for a file whose bytes do not come, and costs it no try", async () => {
  const stalled = await keep(33);
  const opened: Readable[] = [];
  const looking = look(enough, stalling(stalled, opened));
  await eventually(() => opened.length > 0);
  await looking.close();
  const { state, tries, dueAt } = await lookedOf(stalled);
  assert.deepEqual([state, tries, dueAt! <= Date.now(), opened[0]!.destroyed], ["pending", 0, true, true]);
  await lookWith(enough, stalled);
  assert.equal((await lookedOf(stalled)).state, "ready");
});

test("a place of files that is away costs a file no try", async () => {
  const hash = await keep(34);
  const away = async () => {
    throw new StoreError("unavailable", "away");
  };
  const looking = look(enough, { ...blobs, open: away });
  await eventually(async () => {
    const { state, tries, dueAt } = await lookedOf(hash);
    return state === "pending" && tries === 0 && dueAt! > Date.now();
  });
  await looking.close();
});
