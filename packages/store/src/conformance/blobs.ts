// What every engine of the port Blobs must do.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { describe, type TestContext, test } from "node:test";
import type { Blobs, KeptBlob } from "../blobs/blobs.ts";
import { StoreError } from "../store-error.ts";

export type BlobsUnderTest = { blobs: Blobs; reopen(): Promise<Blobs> };
export type OpenBlobs = (t: TestContext) => Promise<BlobsUnderTest>;

const nobody = async () => new Set<string>();
const future = () => Date.now() + 60_000;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const hasCode = (code: string) => (error: unknown) => error instanceof StoreError && error.code === code;

/** Registers the suite; `name` is the engine's. */
export function blobsConformance(name: string, open: OpenBlobs): void {
  describe(`Blobs on ${name}: what is put`, () => putting(open));
  describe(`Blobs on ${name}: listing and restoring`, () => moving(open));
  describe(`Blobs on ${name}: reading`, () => reading(open));
  describe(`Blobs on ${name}: removing and sweeping`, () => removing(open));
}

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(stream: Readable | undefined): Promise<Buffer> {
  assert.ok(stream, "there is such a blob");
  return Buffer.concat(await stream.toArray());
}

function putting(open: OpenBlobs): void {
  for (const size of [0, 1, 261_120, 261_121, 8_388_608, 20_000_000])
    test(`${size} bytes come back as they were, with their size and SHA-256`, async (t) => {
      const { blobs } = await open(t);
      const bytes = randomBytes(size);
      const stored = await blobs.put(inChunks(bytes, 65_521));
      assert.match(stored.id, /^[0-9a-f]{32}$/);
      assert.deepEqual({ ...stored, id: "" }, { id: "", size, sha256: sha256(bytes) });
      assert.equal(sha256(await readAll(await blobs.open(stored.id))), sha256(bytes));
    });

  test("the same bytes twice are two blobs, each with its own life", async (t) => {
    const { blobs } = await open(t);
    const bytes = randomBytes(1_000);
    const [one, other] = await Promise.all([blobs.put(inChunks(bytes, 100)), blobs.put(inChunks(bytes, 100))]);
    assert.notEqual(one.id, other.id);
    await blobs.remove(one.id);
    assert.deepEqual(await readAll(await blobs.open(other.id)), bytes);
  });

  test("a stream that fails is told by its own error, and leaves nothing to open", async (t) => {
    const { blobs } = await open(t);
    const cut = new Error("cut half-way");
    async function* failing() {
      yield randomBytes(10_000_000);
      throw cut;
    }
    await assert.rejects(blobs.put(failing()), (error) => error === cut);
    const seen: string[] = [];
    const inUse = async (ids: readonly string[]) => new Set(seen.splice(0, 0, ...ids));
    const { partial } = await blobs.sweep({ before: future(), inUse });
    assert.equal(partial, 0);
    assert.deepEqual(seen, []);
  });

  test("what was put is there after it was opened again", async (t) => {
    const { blobs, reopen } = await open(t);
    const bytes = randomBytes(300_000);
    const { id } = await blobs.put(inChunks(bytes, 1_000));
    assert.deepEqual(await readAll(await (await reopen()).open(id)), bytes);
  });

  test("a stream is read no faster than it is stored", async (t) => {
    const { blobs } = await open(t);
    let asked = 0;
    let under = 0;
    async function* counted() {
      for (let at = 0; at < 64; at++) {
        under += 1;
        assert.equal(under, 1, "one chunk is asked for at a time");
        asked += 1;
        yield randomBytes(65_536);
        under -= 1;
      }
    }
    assert.equal((await blobs.put(counted())).size, 64 * 65_536);
    assert.equal(asked, 64);
  });
}

function moving(open: OpenBlobs): void {
  test("a list shows every blob once, in the order of ids, with its size, and nothing half-made", async (t) => {
    const { blobs } = await open(t);
    const sizes = [3, 0, 300_000, 7, 1];
    const put = await Promise.all(sizes.map((size) => blobs.put(inChunks(randomBytes(size), 50_000))));
    await assert.rejects(blobs.put(failing(new Error("cut"))));
    await blobs.remove(put[3]!.id);
    const expected = put.filter((_, at) => at !== 3).map(({ id, size }) => ({ id, size }));
    const listed: KeptBlob[] = await Readable.from(blobs.list()).toArray();
    assert.deepEqual(
      listed.map(({ id, size }) => ({ id, size })),
      expected.toSorted((one, other) => (one.id < other.id ? -1 : 1)),
    );
    for (const { at } of listed) assert.ok(Math.abs(Date.now() - at) < 600_000, "its time is unix ms");
  });

  test("a blob is restored under the id that it had, also after a try that failed, and an id that is none is refused", async (t) => {
    const { blobs } = await open(t);
    const [id, bytes] = ["0123456789abcdef".repeat(2), randomBytes(300_000)];
    const cut = new Error("cut half-way");
    await assert.rejects(blobs.restore(id, failing(cut)), (error) => error === cut);
    assert.equal(await blobs.open(id), undefined);
    const restored = await blobs.restore(id, inChunks(bytes, 50_000));
    assert.deepEqual(restored, { id, size: 300_000, sha256: sha256(bytes) });
    assert.deepEqual(await readAll(await blobs.open(id)), bytes);
    await assert.rejects(
      async () => blobs.restore("../../etc/passwd", inChunks(bytes, 50_000)),
      hasCode("invalid_key"),
    );
  });
}

async function* failing(error: Error): AsyncGenerator<Uint8Array> {
  yield randomBytes(300_000);
  throw error;
}

function reading(open: OpenBlobs): void {
  const bytes = randomBytes(600_000);
  const ranges = [
    [0, 0],
    [0, 599_999],
    [599_999, 599_999],
    [261_119, 261_120],
    [100_000, 550_000],
    [599_990, 10_000_000],
  ] as const;
  test("a range is those bytes, both ends included, and no more than there are", async (t) => {
    const { blobs } = await open(t);
    const { id } = await blobs.put(inChunks(bytes, 50_000));
    for (const [start, end] of ranges)
      assert.deepEqual(await readAll(await blobs.open(id, { start, end })), bytes.subarray(start, end + 1));
    assert.deepEqual(await readAll(await blobs.open(id, { start: 600_000, end: 600_005 })), Buffer.alloc(0));
  });

  test("a blob that is not there is undefined, and an id that is none is refused", async (t) => {
    const { blobs } = await open(t);
    assert.equal(await blobs.open("0".repeat(32)), undefined);
    for (const id of ["", "../../etc/passwd", "0".repeat(31), "A".repeat(32), `${"0".repeat(32)}/`]) {
      await assert.rejects(async () => blobs.open(id), hasCode("invalid_key"));
      await assert.rejects(async () => blobs.remove(id), hasCode("invalid_key"));
    }
  });

  test("a stream that is destroyed half-way, or unread, holds nothing up", async (t) => {
    const { blobs } = await open(t);
    const { id } = await blobs.put(inChunks(bytes, 50_000));
    (await blobs.open(id))?.destroy();
    for await (const _ of (await blobs.open(id)) ?? []) break;
    assert.equal(await blobs.remove(id), true);
  });

  test("check resolves", async (t) => {
    await (await open(t)).blobs.check();
  });
}

function removing(open: OpenBlobs): void {
  test("a removed blob is gone, and removing it again is false", async (t) => {
    const { blobs } = await open(t);
    const { id } = await blobs.put(inChunks(randomBytes(600_000), 50_000));
    assert.equal(await blobs.remove(id), true);
    assert.equal(await blobs.open(id), undefined);
    assert.equal(await blobs.remove(id), false);
  });

  test("a sweep removes old blobs that nobody uses, and no other", async (t) => {
    const { blobs } = await open(t);
    const put = () => blobs.put(inChunks(randomBytes(10), 10));
    const [used, unused] = [await put(), await put()];
    const past = Date.now() - 60_000;
    assert.deepEqual(await blobs.sweep({ before: past, inUse: nobody }), { blobs: 0, partial: 0 });
    const swept = await blobs.sweep({ before: future(), inUse: async () => new Set([used.id]) });
    assert.deepEqual(swept, { blobs: 1, partial: 0 });
    assert.equal(await blobs.open(unused.id), undefined);
    assert.equal((await readAll(await blobs.open(used.id))).length, 10);
  });
}
