// What a message says of an uploaded file.
import type { Attachment } from "./attachments.ts";
import type { MessageContent } from "./packets/content.ts";

const kinds = ["image", "audio", "video"] as const;

export type FileContent = Extract<MessageContent, { type: (typeof kinds)[number] | "file" }>;

/** With what is known of it now; its hash is that of what others get. */
export function fileContent({ id, url, name, size, mime, hash, sharedHash, media }: Attachment): FileContent {
  const { state: _, reason: __, ...known } = media ?? {};
  const type = kinds.find((kind) => mime.startsWith(`${kind}/`)) ?? "file";
  return { type, file: id, url, name, size, mime, hash: sharedHash ?? hash, ...known };
}
