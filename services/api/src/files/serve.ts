// Attachments put together: where their bytes are kept, what is made of them, their routes, the sweep.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { attachmentsInfo, attachmentsList } from "@parley/protocol";
import { counter, gauge, type NatsConnection, type Registry } from "@parley/runtime";
import type { Blobs } from "@parley/store";
import type { FastifyInstance } from "fastify";
import { type Bound, bind } from "../call.ts";
import type { Config } from "../config.ts";
import type { History } from "../history.ts";
import { startLooking } from "../media/looking.ts";
import { type Queue, readMs } from "../media/queue.ts";
import { isThere } from "../media/run.ts";
import { startScanning } from "../media/scanning.ts";
import type { ContentDoc } from "../store.ts";
import { attachmentInfo, listAttachments } from "./attachments.ts";
import type { FileRouteParts } from "./in-turn.ts";
import { createFileLimits } from "./limits.ts";
import { addFileRoutes } from "./routes.ts";
import type { Stored } from "./stored.ts";
import { type SweepCounts, startSweeping } from "./sweep.ts";
import { tellUploaders } from "./told.ts";

export interface FilesOptions
  extends Pick<FileRouteParts, "store" | "log" | "pass" | "looks" | "identity" | "rates" | "addressOf"> {
  nats: NatsConnection;
  /** nobody else can have the store */
  isAlone: boolean;
  config: Config;
  blobs: Blobs;
  history: History;
  resumable: Resumable;
  /** What else is served to whoever takes a turn. */
  addMore(scope: FastifyInstance, parts: FileRouteParts): void;
  metrics: Registry;
}

/** Uploads that come in parts. */
export interface Resumable {
  addRoutes(scope: FastifyInstance, parts: FileRouteParts): void;
  /** Over WebSockets of other protocols. */
  openSockets(parts: FileRouteParts): Sockets;
  /** Removes what nobody finished. `nowMs`: unix time. */
  sweep(parts: Pick<FileRouteParts, "store" | "blobs">, nowMs: number, stopped: () => boolean): Promise<void>;
}

interface Sockets {
  /** Takes an upgrade that is for files; false: it is not. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  close(): void;
}

export interface Files {
  upgrade: Sockets["upgrade"];
  /** Ends uploads and downloads: the server could not stop before. */
  stop(): void;
  close(): Promise<void>;
}

/** Before the server listens. */
export async function serveFiles(
  server: FastifyInstance,
  { config, resumable, addMore, metrics, ...parts }: FilesOptions,
): Promise<Files> {
  const stopping = new AbortController();
  const limits = createFileLimits(config);
  gauge(metrics, "file_uploads_in_hand", "uploads under way, parts of resumable ones included", limits.uploads.taken);
  gauge(metrics, "file_endings_in_hand", "uploads in parts being put together or removed", limits.endings.taken);
  gauge(metrics, "file_downloads_in_hand", "downloads of attachments under way", limits.downloads.taken);
  const media = await startMedia({ ...parts, config, metrics });
  const wake = () => media.forEach((queue) => void queue.wake());
  const scans = config.API_CLAMD_URL !== undefined;
  const routeParts = { ...parts, limits, wake, scans, closing: stopping.signal };
  await addFileRoutes(server, routeParts, [resumable.addRoutes, addMore]);
  const sweeping = startSweeping({ ...parts, counts: sweepMetrics(metrics) }, resumable.sweep, parts.log);
  const sockets = resumable.openSockets(routeParts);
  return {
    upgrade: sockets.upgrade,
    stop() {
      stopping.abort();
      sockets.close();
      parts.looks.stop();
    },
    async close() {
      await Promise.all([sweeping, ...media].map((one) => one.close()));
    },
  };
}

function sweepMetrics(metrics: Registry): SweepCounts {
  const removals = counter(metrics, "files_removed_total", "files that the sweep removed, by why", ["why"]);
  let stored: Stored = { attachments: 0, bytes: 0 };
  gauge(metrics, "attachments_stored", "attachments, as counted every hour", () => stored.attachments);
  gauge(metrics, "attachment_bytes_stored", "bytes of attachments, equal ones once, every hour", () => stored.bytes);
  return {
    removed: (why, count) => removals.inc({ why }, count),
    stored: (now) => {
      stored = now;
    },
  };
}

/** The methods of attachments; the rest are routes. */
export function fileMethods(parts: Parameters<typeof attachmentInfo>[0]): Bound[] {
  return [
    bind(attachmentsInfo, ({ id }, { caller }) => attachmentInfo(parts, id, caller)),
    bind(attachmentsList, ({ ids }, { caller }) => listAttachments(parts, ids, caller)),
  ];
}

type MediaParts = Pick<FilesOptions, "config" | "store" | "blobs" | "log" | "nats" | "isAlone" | "pass" | "metrics">;

/** Looks at what is uploaded and has it scanned, and what an earlier process left. */
async function startMedia({ config, nats, metrics, ...parts }: MediaParts): Promise<Queue[]> {
  const limits = {
    timeMs: config.API_MEDIA_MS,
    memoryBytes: config.API_MEDIA_MEMORY_BYTES,
    pixels: config.API_MEDIA_PIXELS,
    hasFfmpeg: await isThere("ffmpeg"),
    readMs,
  };
  const tell = (content: ContentDoc) => tellUploaders({ store: parts.store, nats }, content);
  const looking = startLooking({ ...parts, limits, atOnce: config.API_MEDIA_WORKERS, tell });
  gauge(metrics, "media_waiting", "files that wait to be looked at, 100 at most", () => looking.waiting());
  const { API_CLAMD_URL: url, API_CLAMD_BYTES: bytesMax } = config;
  const scanning = startScanning({ ...parts, url, bytesMax, readMs, tell });
  gauge(metrics, "scan_waiting", "files that wait for clamd, 100 at most; nobody else has them", () =>
    scanning.waiting(),
  );
  return [looking, scanning];
}
