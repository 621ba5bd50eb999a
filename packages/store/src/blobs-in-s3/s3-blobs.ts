// Blobs in S3 or what speaks its protocol: one object each, `{prefix}blobs/{id}`, large ones sent in parts.
import { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { blobIdPattern, checkBlobId, newBlobId } from "../blobs/blob-id.ts";
import type { Blobs, ByteRange, KeptBlob, LinkOptions, StoredBlob, SweepQuery } from "../blobs/blobs.ts";
import { confirmStored } from "../blobs/confirm.ts";
import { hashed } from "../blobs/hashed.ts";
import { removeUnused } from "../blobs/in-pages.ts";
import { readWithErrors } from "../blobs/read-errors.ts";
import { withinLimit } from "../blobs/within.ts";
import { asS3Error, isMissing, isOutOfRange } from "./s3-error.ts";
import { readS3Url } from "./s3-url.ts";
import { known, type S3Bucket, upload } from "./upload.ts";

/** Throws StoreError: `invalid_url`, `unavailable`, `denied`. */
export async function openS3Blobs(url: string): Promise<Blobs> {
  const { client: config, bucket, prefix, place } = readS3Url(url);
  const client = new S3Client({
    ...config,
    maxAttempts: 3,
    // Older servers store the frames of these checksums as a part of the object; the hash is compared after every upload.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 30_000, throwOnRequestTimeout: true },
  });
  const at: S3Bucket = { client, bucket, place, keyOf: (id) => `${prefix}blobs/${id}`, prefix: `${prefix}blobs/` };
  const check = async () => {
    await withinLimit(known(at, client.send(new HeadBucketCommand({ Bucket: bucket }))), place);
  };
  try {
    await check();
  } catch (error) {
    client.destroy();
    throw error;
  }
  return {
    put: (bytes) => write(at, newBlobId(), bytes),
    async restore(id, bytes) {
      checkBlobId(id);
      return write(at, id, bytes);
    },
    list: () => allBlobs(at),
    async open(id, range) {
      checkBlobId(id);
      return open(at, id, range);
    },
    async link(id, options) {
      checkBlobId(id);
      return known(at, link(at, id, options));
    },
    async remove(id) {
      checkBlobId(id);
      return remove(at, id);
    },
    sweep: (query) => sweep(at, query),
    check,
    async close() {
      client.destroy();
    },
  };
}

async function write(at: S3Bucket, id: string, bytes: AsyncIterable<Uint8Array>): Promise<StoredBlob> {
  const passing = hashed(bytes);
  await upload(at, id, passing.bytes);
  const sent = passing.result();
  try {
    await confirmStored({ place: at.place, sent, open: () => open(at, id) });
    return { id, ...sent };
  } catch (error) {
    await remove(at, id).catch(() => undefined);
    throw error;
  }
}

async function open({ client, bucket, keyOf, place }: S3Bucket, id: string, range?: ByteRange) {
  const Range = range === undefined ? undefined : `bytes=${range.start}-${range.end}`;
  try {
    const { Body } = await client.send(
      new GetObjectCommand({ Bucket: bucket, Key: keyOf(id), ...(Range === undefined ? {} : { Range }) }),
    );
    return readWithErrors(Body as Readable, (error) => asS3Error(error, place));
  } catch (error) {
    if (isOutOfRange(error)) return Readable.from([], { objectMode: false });
    if (isMissing(error)) return undefined;
    throw asS3Error(error, place);
  }
}

// Signed here: the server is not asked.
function link(
  { client, bucket, keyOf }: S3Bucket,
  id: string,
  { seconds, type, disposition, cacheControl }: LinkOptions,
) {
  const reading = new GetObjectCommand({
    Bucket: bucket,
    Key: keyOf(id),
    ResponseContentType: type,
    ResponseContentDisposition: disposition,
    ResponseCacheControl: cacheControl,
  });
  return getSignedUrl(client, reading, { expiresIn: seconds });
}

async function remove({ client, bucket, keyOf, place }: S3Bucket, id: string): Promise<boolean> {
  const object = { Bucket: bucket, Key: keyOf(id) };
  try {
    // To remove what is not there is no error.
    await client.send(new HeadObjectCommand(object));
    await client.send(new DeleteObjectCommand(object));
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw asS3Error(error, place);
  }
}

async function sweep(at: S3Bucket, query: SweepQuery) {
  let partial = 0;
  for await (const { Key, UploadId } of oldUploads(at, query.before)) {
    const abort = new AbortMultipartUploadCommand({ Bucket: at.bucket, Key, UploadId });
    await known(at, at.client.send(abort)).catch((error: unknown) => {
      if (!isMissing((error as Error).cause)) throw error;
    });
    partial += 1;
  }
  const blobs = await removeUnused(allBlobs(at), query, (id) => remove(at, id));
  return { blobs, partial };
}

async function* oldUploads(at: S3Bucket, before: number) {
  for (let marker = {}; ; ) {
    const asked = new ListMultipartUploadsCommand({ Bucket: at.bucket, Prefix: at.prefix, ...marker });
    const { Uploads = [], IsTruncated, NextKeyMarker, NextUploadIdMarker } = await known(at, at.client.send(asked));
    for (const { Key, UploadId, Initiated } of Uploads)
      if (Key !== undefined && UploadId !== undefined && Number(Initiated) < before) yield { Key, UploadId };
    if (!IsTruncated) return;
    marker = { KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker };
  }
}

// S3 lists keys in their order.
async function* allBlobs(at: S3Bucket): AsyncGenerator<KeptBlob> {
  for (let token: string | undefined; ; ) {
    const asked = {
      Bucket: at.bucket,
      Prefix: at.prefix,
      ...(token === undefined ? {} : { ContinuationToken: token }),
    };
    const { Contents = [], NextContinuationToken } = await known(at, at.client.send(new ListObjectsV2Command(asked)));
    for (const { Key = "", Size = 0, LastModified } of Contents) {
      const id = Key.slice(at.prefix.length);
      if (blobIdPattern.test(id)) yield { id, size: Size, at: Number(LastModified) };
    }
    if (NextContinuationToken === undefined) return;
    token = NextContinuationToken;
  }
}
