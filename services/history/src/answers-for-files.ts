// What history answers about files, as any replica.
import { AppError, type AttachmentRequest, type AttachmentsRequest, subjects } from "@parley/protocol";
import type { Serve } from "./answers-for-search.ts";
import { mayFetch, sentFiles } from "./read/files.ts";
import type { Reading } from "./read/reading.ts";
import type { ReadTurns } from "./read/turns.ts";

export function serveFiles<Served>({ store }: Reading, turns: ReadTurns, serve: Serve<Served>): Served[] {
  return [
    serve(subjects.attachmentAllowed, async (asked: AttachmentRequest) => {
      const may = async () => JSON.stringify({ may: await mayFetch(store, asked) });
      const result = await turns.take({ uid: asked.uid, via: "service" }, may);
      if (result instanceof AppError) throw result;
      return result;
    }),
    serve(subjects.attachmentsSent, async ({ files }: AttachmentsRequest) =>
      JSON.stringify(await sentFiles(store, files)),
    ),
  ];
}
