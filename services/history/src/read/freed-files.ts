// Which attachments no message refers to any more, for whoever keeps their bytes.
import { AppError, type FreedReply, type FreedRequest, isAttachmentId } from "@parley/protocol";
import type { Versioned } from "@parley/store";
import type { FilePlace, HistoryStore } from "../keep/store.ts";
import { isSent, readsMax } from "./files.ts";

/** Of each 200 places are looked at. */
const filesAtOnce = 10;

/**
 * Forgets those that are removed, and answers the next ones: files of emptied messages that no other message refers to, nor is
 * about to. A file that one does refer to is forgotten: it is noted again when that message is emptied. Places of messages that are
 * gone are removed on the way, so that a file of many of them is looked through at last.
 */
export async function freedFiles(
  { store }: { store: HistoryStore },
  { removed = [], before, page }: FreedRequest,
): Promise<FreedReply> {
  if (typeof before !== "number" || !Array.isArray(removed) || !removed.every(({ file }) => isAttachmentId(file)))
    throw new AppError("invalid_packet", "before: unix ms; removed: attachments, and the versions of their notes");
  // One that was freed again meanwhile has another version, and stays.
  for (const { file, version } of removed) await store.freed.remove(file, version);
  const found = await store.freed.find({
    index: "at",
    before,
    limit: filesAtOnce,
    ...(page === undefined ? {} : { page }),
  });
  const files: FreedReply["files"] = [];
  for (const { key: file, version } of found.items) {
    const gone: Versioned<FilePlace>[] = [];
    const sent = await isSent({ store, readsLeft: readsMax, gone }, file);
    // One that is noted again meanwhile has another version, and stays.
    await Promise.all(gone.map((place) => store.files.remove(place.key, place.version)));
    if (sent === "yes") await store.freed.remove(file, version);
    else if (sent === "no") files.push({ file, version });
  }
  return { files, next: found.next };
}
