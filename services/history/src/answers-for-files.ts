// What history answers about files, as any replica.
import {
  type AttachmentForRequest,
  type AttachmentRequest,
  type AttachmentsRequest,
  type FreedRequest,
  subjects,
} from "@parley/protocol";
import type { Serve } from "./answers-for-search.ts";
import { mayAllFetch, mayFetch, sentFiles } from "./read/files.ts";
import { freedFiles } from "./read/freed-files.ts";
import type { Reading } from "./read/reading.ts";
import { type ReadTurns, readFor } from "./read/turns.ts";

export function serveFiles<Served>({ store }: Reading, turns: ReadTurns, serve: Serve<Served>): Served[] {
  return [
    serve(subjects.attachmentAllowed, (asked: AttachmentRequest) =>
      readFor(turns, asked.uid, async () => JSON.stringify({ may: await mayFetch(store, asked) })),
    ),
    serve(subjects.attachmentFor, (asked: AttachmentForRequest) =>
      readFor(turns, "push", async () => JSON.stringify(await mayAllFetch(store, asked))),
    ),
    serve(subjects.attachmentsFreed, async (asked: FreedRequest) => JSON.stringify(await freedFiles({ store }, asked))),
    serve(subjects.attachmentsSent, async ({ files }: AttachmentsRequest) =>
      JSON.stringify(await sentFiles(store, files)),
    ),
  ];
}
