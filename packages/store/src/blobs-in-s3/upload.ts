// One upload to S3: small ones as one object, larger ones in parts of which one is in memory.
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { partsOf } from "./parts.ts";
import { asS3Error } from "./s3-error.ts";

export type S3Bucket = {
  client: S3Client;
  bucket: string;
  place: string;
  /** of all keys */
  prefix: string;
  keyOf(id: string): string;
};

/** S3 takes 10,000 parts: 78 GiB. */
const partBytes = 8 * 1024 * 1024;

/** A call's failure as StoreError. */
export async function known<T>({ place }: Pick<S3Bucket, "place">, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw asS3Error(error, place);
  }
}

/** Rejects with the stream's own error if that fails. */
export async function upload(at: S3Bucket, id: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const object = { Bucket: at.bucket, Key: at.keyOf(id) };
  const parts = partsOf(bytes, partBytes);
  const first = (await parts.next()).value as Uint8Array;
  if (first.byteLength < partBytes) {
    await known(at, at.client.send(new PutObjectCommand({ ...object, Body: first, ContentLength: first.byteLength })));
    return;
  }
  const begun = await known(at, at.client.send(new CreateMultipartUploadCommand(object)));
  const upload = { ...object, UploadId: begun.UploadId };
  try {
    const done = [await sendPart(at, upload, 1, first)];
    for await (const part of parts) done.push(await sendPart(at, upload, done.length + 1, part));
    await known(
      at,
      at.client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: done } })),
    );
  } catch (error) {
    await at.client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw error;
  }
}

async function sendPart(
  at: S3Bucket,
  upload: { Bucket: string; Key: string; UploadId: string | undefined },
  PartNumber: number,
  Body: Uint8Array,
) {
  const part = new UploadPartCommand({ ...upload, PartNumber, Body, ContentLength: Body.byteLength });
  const { ETag } = await known(at, at.client.send(part));
  return { ETag, PartNumber };
}
