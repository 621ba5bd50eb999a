// The routes of attachments: bodies that are no JSON, so they stand apart from those of methods.
import multipart from "@fastify/multipart";
import { attachmentPaths } from "@parley/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { download } from "./download.ts";
import { admitByGrant } from "./grants.ts";
import { type FileRouteParts, inTurn, type Turn } from "./in-turn.ts";
import { upload } from "./upload.ts";

const formLimits = { fieldNameSize: 100, fieldSize: 1_024, fields: 20, files: 2, parts: 22, headerPairs: 50 };

export async function addFileRoutes(
  server: FastifyInstance,
  parts: FileRouteParts,
  addMore: readonly ((scope: FastifyInstance, parts: FileRouteParts) => void)[],
): Promise<void> {
  const { uploads, downloads } = parts.limits;
  const sending: Turn = {
    name: "attachments.upload",
    shares: uploads,
    async work(request, reply, { uid }) {
      const attachment = await upload(parts, request, uid);
      return reply.code(201).header("location", attachment.url).header("cache-control", "no-store").send(attachment);
    },
  };
  const getting: Turn = {
    name: "attachments.get",
    shares: downloads,
    work: (request, reply, caller) => download(parts, request, reply, caller),
  };
  const granted: Turn = { ...getting, name: "attachments.thumbnail.granted", admit: admitByGrant(parts) };
  const inTurnOf = (turn: Turn) => (request: FastifyRequest, reply: FastifyReply) =>
    inTurn(parts, turn, request, reply);
  const routes = async (scope: FastifyInstance) => {
    scope.removeAllContentTypeParsers();
    await scope.register(multipart, { limits: { ...formLimits, fileSize: Number.POSITIVE_INFINITY } });
    // Whatever it is, it is not parsed.
    scope.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    for (const path of attachmentPaths) {
      scope.post(path, { config: { streams: true } }, inTurnOf(sending));
      // Its answer to HEAD would be said to have no bytes.
      const get = { method: ["GET", "HEAD"], exposeHeadRoute: false, handler: inTurnOf(getting) };
      for (const url of [`${path}/:id`, `${path}/:id/thumbnail`]) scope.route({ ...get, url });
      scope.route({ ...get, url: `${path}/:id/thumbnail/:grant`, handler: inTurnOf(granted) });
    }
    for (const add of addMore) add(scope, parts);
  };
  await server.register(routes);
}
