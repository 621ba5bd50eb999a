// The routes of attachments: bodies that are no JSON, so they stand apart from those of methods.
import { setTimeout as sleep } from "node:timers/promises";
import multipart from "@fastify/multipart";
import { AppError, attachmentPaths, type Caller } from "@parley/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { readHttpError, sendError } from "../http/errors.ts";
import { admit, type RouteParts } from "../http/routes.ts";
import type { Shares } from "../http/shares.ts";
import { download } from "./download.ts";
import type { FileParts } from "./parts.ts";
import { upload } from "./upload.ts";

const formLimits = { fieldNameSize: 100, fieldSize: 1_024, fields: 20, files: 2, parts: 22, headerPairs: 50 };
/** A refused upload is read on for so long, so that its sender sees the refusal. */
const lingerMs = 1_000;

export type FileRouteParts = FileParts & Pick<RouteParts, "identity" | "rates" | "addressOf">;

export async function addFileRoutes(server: FastifyInstance, parts: FileRouteParts): Promise<void> {
  const { limits } = parts;
  const routes = async (scope: FastifyInstance) => {
    scope.removeAllContentTypeParsers();
    await scope.register(multipart, { limits: { ...formLimits, fileSize: Number.POSITIVE_INFINITY } });
    // Whatever it is, it is not parsed.
    scope.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    for (const path of attachmentPaths) {
      scope.post(path, { config: { streams: true } }, (request, reply) =>
        inTurn(parts, limits.uploads, "attachments.upload", request, reply),
      );
      scope.route({
        method: ["GET", "HEAD"],
        url: `${path}/:id`,
        // Its answer to HEAD would be said to have no bytes.
        exposeHeadRoute: false,
        handler: (request, reply) => inTurn(parts, limits.downloads, "attachments.get", request, reply),
      });
    }
  };
  await server.register(routes);
}

async function inTurn(
  parts: FileRouteParts,
  shares: Shares,
  name: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const caller = await admit(parts, { name, access: "user" }, request);
  const release = caller instanceof AppError ? undefined : shares.take(caller.uid);
  // Who has gone already is not told of again.
  if (reply.raw.destroyed) release?.();
  else if (release) reply.raw.once("close", release);
  try {
    if (caller instanceof AppError) throw caller;
    if (!release) throw new AppError("rate_limited", "too many at once; wait until one has ended");
    return await work(parts, request, reply, caller);
  } catch (error) {
    return refuse(parts, request, reply, error);
  }
}

async function work(parts: FileRouteParts, request: FastifyRequest, reply: FastifyReply, { uid }: Caller) {
  if (request.method !== "POST") return download(parts, request, reply, uid);
  const attachment = await upload(parts, request, uid);
  return reply.code(201).header("location", attachment.url).header("cache-control", "no-store").send(attachment);
}

// A connection with bytes that nobody reads is reset, and its sender may not see why.
async function refuse({ limits, log }: FileRouteParts, request: FastifyRequest, reply: FastifyReply, thrown: unknown) {
  const { error, status } = readHttpError(thrown, limits.bytesMax);
  const isCut = request.raw.destroyed && !request.raw.complete;
  if (error.code === "internal" && !isCut)
    log.error({ event: "http_failed", method: request.method, route: request.routeOptions.url, err: thrown });
  if (!request.raw.complete) {
    reply.header("connection", "close");
    request.raw.resume();
    const ended = new Promise<void>((resolve) => void request.raw.once("end", resolve).once("close", resolve));
    await Promise.race([ended, sleep(lingerMs, undefined, { ref: false })]);
  }
  for (const name of ["content-length", "etag", "content-disposition", "cache-control"]) reply.removeHeader(name);
  return sendError(reply.type("application/json; charset=utf-8"), error, status ?? statusOf(reply));
}

// A range that no byte of the file is in [RFC 9110 15.5.17].
function statusOf(reply: FastifyReply): number | undefined {
  return reply.statusCode !== 206 && String(reply.getHeader("content-range")).startsWith("bytes */") ? 416 : undefined;
}
