// tus over HTTP: an upload is begun, asked about, gone on with, finished, given up.
import { AppError, type Attachment, attachmentUrl, tus, uploadPaths, uploadUrl } from "@parley/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { tooLarge } from "../checked-bytes.ts";
import { type FileRouteParts, inTurn, type Turn } from "../in-turn.ts";
import { createFinishing, type Finishing, isWhole } from "./finish.ts";
import { hasPart, readChecksum, readCount, readMetadata, readVersion } from "./headers.ts";
import { ChecksumMismatch, takePart } from "./take.ts";
import { createUpload, isFinished, offsetOf, readUpload, removeUpload, type Upload } from "./uploads.ts";

/** [tus: checksum] */
const checksumMismatch = 460;

type Parts = FileRouteParts & { finishing: Finishing };

export function addUploadRoutes(scope: FastifyInstance, routeParts: FileRouteParts): void {
  const parts: Parts = { ...routeParts, finishing: createFinishing(routeParts) };
  const { uploads: shares, endings } = parts.limits;
  const streams = { config: { streams: true } };
  const turn = (name: string, work: Work, rest: Pick<Turn, "shares"> = {}) => {
    const whole: Turn = { name, ...rest, work: (request, reply, { uid }) => work(parts, request, reply, uid) };
    return (request: FastifyRequest, reply: FastifyReply) =>
      inTurn(parts, whole, request, reply.header("tus-resumable", tus.version).header("cache-control", "no-store"));
  };
  for (const path of uploadPaths) {
    const one = `${path}/:id`;
    scope.post(path, streams, turn("attachments.uploads.create", create, { shares }));
    const [appending, removing] = [
      turn("attachments.uploads.append", append, { shares }),
      turn("attachments.uploads.remove", remove, { shares: endings }),
    ];
    scope.patch(one, streams, appending);
    scope.delete(one, removing);
    // [tus: X-HTTP-Method-Override]
    scope.post(one, streams, (request, reply) => {
      const asked = request.headers["x-http-method-override"];
      if (asked === "PATCH") return appending(request, reply);
      return asked === "DELETE" ? removing(request, reply) : reply.callNotFound();
    });
    scope.route({ method: "HEAD", url: one, handler: turn("attachments.uploads.head", head) });
    scope.route({ method: "GET", url: one, exposeHeadRoute: false, handler: turn("attachments.uploads.get", get) });
    const discovery = { config: { cors: { strictPreflight: false, preflightContinue: true } } };
    for (const url of [path, one]) scope.options(url, discovery, (_request, reply) => tell(parts, reply));
  }
}

type Work = (parts: Parts, request: FastifyRequest, reply: FastifyReply, uid: string) => Promise<FastifyReply>;

function tell({ limits }: Parts, reply: FastifyReply): FastifyReply {
  const told = {
    "tus-resumable": tus.version,
    "tus-version": tus.version,
    "tus-extension": tus.extensions.join(","),
    "tus-checksum-algorithm": tus.checksums.join(","),
    "tus-max-size": limits.bytesMax,
  };
  return reply.code(204).headers(told).send();
}

async function create(parts: Parts, request: FastifyRequest, reply: FastifyReply, uid: string): Promise<FastifyReply> {
  readVersion(request, reply);
  const size = readCount(request, "upload-length");
  const { bytesMax, wouldTake } = parts.limits;
  if (size > bytesMax) throw tooLarge("any", bytesMax);
  const refused = wouldTake(uid, size);
  if (refused) throw refused;
  const upload = await createUpload(parts.store, { uid, size, ...readMetadata(request) });
  reply.code(201).header("location", uploadUrl(upload.key));
  expires(reply, upload);
  const isWithPart = hasPart(request);
  const taken = isWithPart ? await take(parts, request, reply, upload) : upload;
  if (isWithPart) reply.header("upload-offset", offsetOf(taken.doc));
  return reply.send(isWhole(taken.doc) ? await parts.finishing.finish(taken) : { offset: offsetOf(taken.doc) });
}

async function append(parts: Parts, request: FastifyRequest, reply: FastifyReply, uid: string): Promise<FastifyReply> {
  readVersion(request, reply);
  if (!hasPart(request)) {
    reply.code(415);
    throw new AppError("invalid_packet", `send content-type ${tus.partType}`);
  }
  const upload = await readUpload(parts.store, idOf(request), uid);
  const offset = offsetOf(upload.doc);
  if (readCount(request, "upload-offset") !== offset)
    throw new AppError("conflict", `the upload has ${offset} bytes; go on from there`, { details: { offset } });
  const taken = await take(parts, request, reply, upload);
  reply.header("upload-offset", offsetOf(taken.doc));
  expires(reply, taken);
  // [tus: PATCH] has no body in its answer: an attachment is told by GET.
  if (isWhole(taken.doc)) locate(reply, await parts.finishing.finish(taken));
  return reply.code(204).send();
}

// The body of this request, as a part of the upload.
async function take(parts: Parts, request: FastifyRequest, reply: FastifyReply, upload: Upload): Promise<Upload> {
  const { uid, size } = upload.doc;
  const length = Number(request.headers["content-length"] ?? 0);
  if (offsetOf(upload.doc) + length > size)
    throw new AppError("too_large", `the upload was said to have ${size} bytes`, { details: { maxBytes: size } });
  const refused = parts.limits.wouldTake(uid, length);
  if (refused) throw refused;
  const part = { bytes: request.raw.iterator({ destroyOnReturn: false }), checksum: readChecksum(request) };
  try {
    return await takePart(parts, upload, part);
  } catch (error) {
    if (error instanceof ChecksumMismatch) reply.code(checksumMismatch);
    throw error;
  }
}

async function head(parts: Parts, request: FastifyRequest, reply: FastifyReply, uid: string): Promise<FastifyReply> {
  readVersion(request, reply);
  const upload = await readUpload(parts.store, idOf(request), uid);
  // A client that sees all bytes there takes it for finished.
  if (isWhole(upload.doc)) await parts.finishing.finish(upload);
  const { size, metadata } = upload.doc;
  reply.headers({ "upload-offset": offsetOf(upload.doc), "upload-length": size });
  if (metadata !== "") reply.header("upload-metadata", metadata);
  expires(reply, upload);
  return reply.code(200).send();
}

async function get(parts: Parts, request: FastifyRequest, reply: FastifyReply, uid: string): Promise<FastifyReply> {
  const upload = await readUpload(parts.store, idOf(request), uid);
  if (isWhole(upload.doc)) {
    const attachment = await parts.finishing.finish(upload);
    return locate(reply, attachment).code(200).send(attachment);
  }
  const offset = offsetOf(upload.doc);
  throw new AppError("conflict", `the upload has ${offset} bytes and is not finished`, { details: { offset } });
}

async function remove(parts: Parts, request: FastifyRequest, reply: FastifyReply, uid: string): Promise<FastifyReply> {
  readVersion(request, reply);
  for (;;)
    if (await removeUpload(parts, await readUpload(parts.store, idOf(request), uid))) return reply.code(204).send();
}

function locate(reply: FastifyReply, { id }: Attachment): FastifyReply {
  return reply.header("content-location", attachmentUrl(id));
}

function expires(reply: FastifyReply, { doc }: Upload): void {
  if (!isFinished(doc)) reply.header("upload-expires", new Date(doc.expiresAt).toUTCString());
}

function idOf({ params }: FastifyRequest): string {
  return (params as { id: string }).id;
}
