// Attachments put together: where their bytes are kept, their routes, the sweep.
import { gauge, type Registry } from "@parley/runtime";
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
  resumable: Resumable;
  metrics: Registry;
}

/** Uploads that come in parts. */
export interface Resumable {
  addRoutes(scope: FastifyInstance, parts: FileRouteParts): void;
  /** Removes what nobody finished. `nowMs`: unix time. */
  sweep(parts: Pick<FileRouteParts, "store" | "blobs">, nowMs: number, stopped: () => boolean): Promise<void>;
}

export interface Files {
  /** Ends uploads and downloads: the server could not stop before. */
  stop(): void;
  close(): Promise<void>;
}

/** Before the server listens. */
export async function serveFiles(
  server: FastifyInstance,
  { config, resumable, metrics, ...parts }: FilesOptions,
): Promise<Files> {
  const stopping = new AbortController();
  const limits = createFileLimits(config);
  gauge(metrics, "file_uploads_in_hand", "uploads under way, parts of resumable ones included", limits.uploads.taken);
  gauge(metrics, "file_downloads_in_hand", "downloads of attachments under way", limits.downloads.taken);
  const routeParts = { ...parts, limits, closing: stopping.signal };
  await addFileRoutes(server, routeParts, resumable.addRoutes);
  const sweeping = startSweeping(parts, resumable.sweep, parts.log);
  return {
    stop: () => stopping.abort(),
    async close() {
      await sweeping.close();
      await parts.blobs.close();
    },
  };
}
