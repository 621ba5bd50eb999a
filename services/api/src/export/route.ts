// GET /account/export: all that is kept of the caller, as a ZIP that is made while it is sent.

import { type Caller, exportPath } from "@parley/protocol";
import { gauge, type Registry } from "@parley/runtime";
import type { FastifyInstance, FastifyReply } from "fastify";
import { type FileRouteParts, inTurn, type Turn } from "../files/in-turn.ts";
import { readQuery } from "../http/query.ts";
import { openShares, type Shares } from "../http/shares.ts";
import { errorOf } from "../store.ts";
import { openArchive } from "./archive.ts";
import { type AskParts, createAsk } from "./ask.ts";
import { writeExport } from "./write.ts";

interface ExportRouteParts extends FileRouteParts, AskParts {
  exports: Shares;
}

/** A device that reads nothing for so long is let go (ms). */
const unreadMs = 60_000;

/** What adds the route; `max`: so many exports at once, one of them of one user. */
export function serveExports({ max, metrics, ...asking }: AskParts & { max: number; metrics: Registry }) {
  const exports = openShares(max, 1);
  gauge(metrics, "exports_in_hand", "exports of accounts under way", exports.taken);
  return (scope: FastifyInstance, parts: FileRouteParts) => addExportRoute(scope, { ...parts, ...asking, exports });
}

function addExportRoute(scope: FastifyInstance, parts: ExportRouteParts): void {
  const turn: Turn = {
    name: "account.export",
    shares: parts.exports,
    async work(request, reply, caller, isRevoked) {
      readQuery(request);
      return send(parts, reply, { caller, isRevoked });
    },
  };
  const route = { method: "GET", url: exportPath, exposeHeadRoute: false } as const;
  scope.route({ ...route, handler: (request, reply) => inTurn(parts, turn, request, reply) });
}

// What fails after the first byte cuts the answer: a ZIP without its directory is none.
async function send(
  parts: ExportRouteParts,
  reply: FastifyReply,
  { caller, isRevoked }: { caller: Caller; isRevoked(): boolean },
): Promise<FastifyReply> {
  const { log, closing } = parts;
  const { uid } = caller;
  const archive = openArchive();
  const stop = () => reply.raw.destroy();
  reply.raw.setTimeout(unreadMs, stop);
  closing.addEventListener("abort", stop);
  reply.raw.once("close", () => {
    closing.removeEventListener("abort", stop);
    archive.bytes.destroy();
  });
  if (reply.raw.destroyed) archive.bytes.destroy();
  const ask = createAsk(parts, { caller, isRevoked, stopped: archive.over });
  writeExport(parts, { uid, ask, isRevoked }, archive).catch((error: unknown) => {
    if (archive.over.aborted) return;
    log.error({ event: "export_failed", uid, err: error });
    archive.bytes.destroy(errorOf(error));
  });
  const day = new Date().toISOString().slice(0, 10);
  reply.headers({
    "content-type": "application/zip",
    "content-disposition": `attachment; filename="parley-${uid}-${day}.zip"`,
    "cache-control": "no-store",
  });
  return reply.send(archive.bytes);
}
