// Blobs in GridFS: collections `{service}.blobs.files` and `.chunks`; `.unfinished` names what a sweep has to finish.
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Collection, type Db, GridFSBucket, type ObjectId } from "mongodb";
import { blobIdPattern, checkBlobId, newBlobId } from "../blobs/blob-id.ts";
import type { Blobs, ByteRange, KeptBlob, StoredBlob, SweepQuery } from "../blobs/blobs.ts";
import { confirmStored } from "../blobs/confirm.ts";
import { hashed } from "../blobs/hashed.ts";
import { removeUnused } from "../blobs/in-pages.ts";
import { readWithErrors } from "../blobs/read-errors.ts";
import { withinLimit } from "../blobs/within.ts";
import { connectMongo, writeConcern } from "../mongo/client.ts";
import { asStoreError } from "../mongo/mongo-error.ts";

/** Being written or removed since then. */
type Unfinished = { _id: string; since: Date };

type Place = {
  place: string;
  bucket: GridFSBucket;
  files: Collection<{ _id: string; length: number; uploadDate: Date }>;
  chunks: Collection<{ files_id: string }>;
  unfinished: Collection<Unfinished>;
};

const chunkSizeBytes = 255 * 1024;

/** Throws StoreError: `invalid_url`, `unavailable`, `denied`. */
export async function openGridFsBlobs(url: string, service: string): Promise<Blobs> {
  const { client, database, place } = await connectMongo(url);
  const at = placeOf(client.db(database), `${service}.blobs`, place);
  const known = <T>(work: Promise<T>) =>
    work.catch((error: unknown) => {
      throw asStoreError(error, place);
    });
  return {
    // The stream's own errors are no MongoError, and pass as they are.
    put: (bytes) => known(write(at, newBlobId(), bytes)),
    async restore(id, bytes) {
      checkBlobId(id);
      await known(clear(at, id));
      return known(write(at, id, bytes));
    },
    async *list() {
      try {
        yield* allBlobs(at);
      } catch (error) {
        throw asStoreError(error, place);
      }
    },
    async open(id, range) {
      checkBlobId(id);
      return known(open(at, id, range));
    },
    async remove(id) {
      checkBlobId(id);
      return known(remove(at, id));
    },
    sweep: (query) => known(sweep(at, query)),
    async check() {
      await withinLimit(known(at.unfinished.findOne({ _id: "check" })), place);
    },
    close: () => client.close(),
  };
}

function placeOf(db: Db, bucketName: string, place: string): Place {
  return {
    place,
    bucket: new GridFSBucket(db, { bucketName, chunkSizeBytes, writeConcern }),
    files: db.collection(`${bucketName}.files`, { writeConcern }),
    chunks: db.collection(`${bucketName}.chunks`, { writeConcern }),
    unfinished: db.collection(`${bucketName}.unfinished`, { writeConcern }),
  };
}

// Whatever ends it before its last line leaves its name in `unfinished`.
async function write(at: Place, id: string, bytes: AsyncIterable<Uint8Array>): Promise<StoredBlob> {
  await at.unfinished.updateOne({ _id: id }, { $set: { since: new Date() } }, { upsert: true });
  try {
    const passing = hashed(bytes);
    const target = at.bucket.openUploadStreamWithId(id as unknown as ObjectId, id);
    await pipeline(Readable.from(passing.bytes, { objectMode: false }), target);
    const sent = passing.result();
    await confirmStored({ place: at.place, sent, open: () => open(at, id, undefined) });
    await at.unfinished.deleteOne({ _id: id });
    return { id, ...sent };
  } catch (error) {
    await finish(at, id).catch(() => undefined);
    throw error;
  }
}

async function open({ place, bucket, files }: Place, id: string, range?: ByteRange): Promise<Readable | undefined> {
  const file = await files.findOne({ _id: id });
  if (!file) return undefined;
  const { start = 0, end = file.length - 1 } = range ?? {};
  if (start >= file.length) return Readable.from([], { objectMode: false });
  const stop = Math.min(end + 1, file.length);
  const stream = bucket.openDownloadStream(id as unknown as ObjectId, { start, end: stop });
  return readWithErrors(stream, (error) => asStoreError(error, place));
}

async function remove(at: Place, id: string): Promise<boolean> {
  if (!(await at.files.findOne({ _id: id }))) return false;
  await at.unfinished.updateOne({ _id: id }, { $set: { since: new Date(0) } }, { upsert: true });
  return finish(at, id);
}

/** Removes the beginning that an ended process left. */
async function clear(at: Place, id: string): Promise<void> {
  if (await at.unfinished.findOne({ _id: id })) await finish(at, id);
}

/** Removes what there is of it. true: it could be opened until now. */
async function finish({ files, chunks, unfinished }: Place, id: string): Promise<boolean> {
  const { deletedCount } = await files.deleteOne({ _id: id });
  await chunks.deleteMany({ files_id: id });
  await unfinished.deleteOne({ _id: id });
  return deletedCount === 1;
}

async function sweep(at: Place, query: SweepQuery) {
  const before = new Date(query.before);
  let partial = 0;
  for await (const { _id } of at.unfinished.find({ since: { $lt: before } })) {
    await finish(at, _id);
    partial += 1;
  }
  const blobs = await removeUnused(allBlobs(at), query, (id) => remove(at, id));
  return { blobs, partial };
}

// Not those that a `put` or a `remove` is still at, or did not end.
async function* allBlobs({ files, unfinished }: Place): AsyncGenerator<KeptBlob> {
  const left = new Set((await unfinished.find({}).toArray()).map(({ _id }) => _id));
  for await (const { _id: id, length: size, uploadDate } of files.find({}).sort({ _id: 1 }))
    if (blobIdPattern.test(id) && !left.has(id)) yield { id, size, at: Number(uploadDate) };
}
