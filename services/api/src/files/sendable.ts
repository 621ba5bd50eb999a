// May users send files? History asks it of messages that refer to any, before it stores them.
import { AppError, isAttachmentId, type Sendable, type SendableReply, type SendableRequest } from "@parley/protocol";
import type { Versioned } from "@parley/store";
import { type ApiStore, type AttachmentDoc, errorOf } from "../store.ts";
import { mayHave } from "./attachments.ts";
import type { FileParts } from "./parts.ts";
import { unsentForMs } from "./sweep.ts";

type Parts = Pick<FileParts, "store" | "history">;
type Asked = SendableRequest["asked"][number];

const askedMax = 500;
/** One that would be swept so soon stays another day: its message is about to be stored. */
const soonMs = 60 * 60_000;

export async function sendableFiles(parts: Parts, asked: readonly Asked[]): Promise<SendableReply> {
  if (!Array.isArray(asked) || asked.length > askedMax || !asked.every(({ file }) => isAttachmentId(file)))
    throw new AppError("invalid_packet", `asked: at most ${askedMax} attachments`);
  const files = [...new Set(asked.map(({ file }) => file))];
  const kept = await parts.store.attachments.getMany(files);
  const uploads = await parts.store.uploads.getMany(files.filter((file) => !kept.has(file)));
  const answers = asked.map(async ({ file, uid }): Promise<Sendable> => {
    const attachment = kept.get(file);
    if (!attachment) return uploads.get(file)?.doc.uid === uid ? "unfinished" : "no";
    if (!(await mayHave(parts, attachment, { uid }))) return "no";
    return (await keepLonger(parts.store, attachment)) ? "yes" : "no";
  });
  return { answers: await Promise.all(answers.map((answer) => answer.catch(unknownWhereAway))) };
}

// False: it is gone.
async function keepLonger(
  { attachments }: ApiStore,
  { key, version, doc }: Versioned<AttachmentDoc>,
): Promise<boolean> {
  const now = Date.now();
  if (doc.unsentSince === undefined || doc.unsentSince > now - unsentForMs + soonMs) return true;
  if (await attachments.update(key, { ...doc, unsentSince: now }, version)) return true;
  return (await attachments.get(key)) !== undefined;
}

function unknownWhereAway(thrown: unknown): Sendable {
  if (errorOf(thrown).code === "internal") throw thrown;
  return "unknown";
}
