// What tus says in headers, read strictly.
import { AppError, tus } from "@parley/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import { harmlessName } from "../names.ts";

const metadataMax = 4_096;

/** Refuses other versions of the protocol with 412, as it asks. */
export function readVersion({ headers }: FastifyRequest, reply: FastifyReply): void {
  if (headers["tus-resumable"] === tus.version) return;
  reply.code(412).header("tus-version", tus.version);
  throw new AppError("invalid_packet", `send Tus-Resumable: ${tus.version}`);
}

/** A whole number that has to be there. */
export function readCount({ headers }: FastifyRequest, name: "upload-length" | "upload-offset"): number {
  const text = headers[name];
  if (typeof text === "string" && /^\d{1,15}$/.test(text)) return Number(text);
  throw new AppError("invalid_packet", `${name} is a whole number, given once`);
}

/** `Upload-Metadata`: pairs of a key and a value in Base64. The file's name is its `filename`, or `name`. */
export function readMetadata({ headers }: FastifyRequest): { name: string; metadata: string } {
  const metadata = headers["upload-metadata"] ?? "";
  if (typeof metadata !== "string" || metadata.length > metadataMax)
    throw new AppError("invalid_packet", `upload-metadata has at most ${metadataMax} characters, given once`);
  const pairs = new Map<string, string>();
  for (const pair of metadata === "" ? [] : metadata.split(",")) {
    const [, key, value = ""] = /^\s*([\x21-\x2b\x2d-\x7e]+)(?: ([A-Za-z0-9+/]*={0,2}))?\s*$/.exec(pair) ?? [];
    if (key === undefined || pairs.has(key))
      throw new AppError("invalid_packet", "upload-metadata is pairs of a key and a value in Base64, each key once");
    pairs.set(key, Buffer.from(value, "base64").toString());
  }
  return { name: harmlessName(pairs.get("filename") ?? pairs.get("name") ?? ""), metadata };
}

export interface Checksum {
  algorithm: (typeof tus.checksums)[number];
  /** Base64 */
  digest: string;
}

/** `Upload-Checksum`: of the body of this request. */
export function readChecksum({ headers }: FastifyRequest): Checksum | undefined {
  const text = headers["upload-checksum"];
  if (text === undefined) return undefined;
  const [, named, digest = ""] = /^([a-z0-9]+) ([A-Za-z0-9+/]+={0,2})$/.exec(String(text)) ?? [];
  const algorithm = tus.checksums.find((one) => one === named);
  if (algorithm) return { algorithm, digest };
  throw new AppError("invalid_packet", `upload-checksum is one of ${tus.checksums.join(", ")} and a digest in Base64`);
}

/** True: the request has a part of the file as its body. */
export function hasPart({ headers }: FastifyRequest): boolean {
  return headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase() === tus.partType;
}
