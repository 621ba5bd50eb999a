// A BLOBS_URL of S3: `s3+https://KEY:SECRET@HOST[:PORT]/BUCKET[/PREFIX][?region=…]`.
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { StoreError } from "../store-error.ts";

export type S3Place = {
  client: S3ClientConfig;
  bucket: string;
  /** of every key: empty, or ends with a slash */
  prefix: string;
  /** for messages: without credentials */
  place: string;
};

/** Throws `invalid_url`. */
export function readS3Url(text: string): S3Place {
  const url = URL.canParse(text) ? new URL(text.replace(/^s3\+/, "")) : undefined;
  const [bucket = "", ...rest] = url?.pathname.slice(1).split("/") ?? [];
  if (!url || !/^[a-z0-9][a-z0-9.-]{2,62}$/.test(bucket))
    throw new StoreError("invalid_url", "write s3+https://KEY:SECRET@HOST/BUCKET, KEY and SECRET %-encoded");
  const folder = rest.filter((part) => part !== "").join("/");
  const credentials = {
    accessKeyId: decodeURIComponent(url.username),
    secretAccessKey: decodeURIComponent(url.password),
  };
  const endpoint = `${url.protocol}//${url.host}`;
  return {
    client: {
      endpoint,
      region: url.searchParams.get("region") ?? "us-east-1",
      forcePathStyle: true,
      // Without them: the environment, a file or the machine's role, as AWS' programs do.
      ...(url.username === "" ? {} : { credentials }),
    },
    bucket,
    prefix: folder === "" ? "" : `${folder}/`,
    place: `s3+${endpoint}/${bucket}`,
  };
}
