// Attachments put together: where their bytes are kept, their routes, the sweep.
import type { Blobs } from "@parley/store";
import type { FastifyInstance } from "fastify";
import type { Config } from "../config.ts";
import type { History } from "../history.ts";
import type { FileRouteParts } from "./in-turn.ts";
import { createFileLimits } from "./limits.ts";
import { addFileRoutes } from "./routes.ts";
import { startSweeping } from "./sweep.ts";

export interface FilesOptions
  extends Pick<FileRouteParts, "store" | "log" | "pass" | "identity" | "rates" | "addressOf"> {
  config: Config;
  blobs: Blobs;
  history: History;
}

export interface Files {
  /** Ends uploads and downloads: the server could not stop before. */
  stop(): void;
  close(): Promise<void>;
}

/** Before the server listens. */
export async function serveFiles(server: FastifyInstance, { config, ...parts }: FilesOptions): Promise<Files> {
  const stopping = new AbortController();
  await addFileRoutes(server, { ...parts, limits: createFileLimits(config), closing: stopping.signal });
  const sweeping = startSweeping(parts, parts.log);
  return {
    stop: () => stopping.abort(),
    async close() {
      await sweeping.close();
      await parts.blobs.close();
    },
  };
}
