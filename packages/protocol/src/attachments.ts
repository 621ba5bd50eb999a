// Attachments: files that are uploaded over HTTP and referred to by messages. Bytes are no JSON, so these are no methods.
import Type, { type Static } from "typebox";

/** 160 random bits: who knows it was told it. */
export const attachmentIdPattern = "^f-[a-z2-7]{32}$";
const attachmentIdRegex = new RegExp(attachmentIdPattern);

/** The paths, SlimChat's own spelling last. */
export const attachmentPaths = ["/attachments", "/attachements"] as const;

/** What is served on them. */
export const attachmentRoutes: readonly { verb: "GET" | "POST"; path: string }[] = attachmentPaths.flatMap((path) => [
  { verb: "POST", path },
  { verb: "GET", path: `${path}/{id}` },
]);

/** What an upload answers. */
export const Attachment = Type.Object({
  id: Type.String({ pattern: attachmentIdPattern, description: "to be sent as `content.file` of a message" }),
  url: Type.String({ description: "path of its bytes" }),
  name: Type.String({ description: "the file's name as it was given, made harmless" }),
  size: Type.Integer({ minimum: 0, description: "bytes" }),
  type: Type.String({ description: "media type, by what the bytes are" }),
  hash: Type.String({ pattern: "^sha256:[0-9a-f]{64}$", description: "SHA-256 of the bytes" }),
});
export type Attachment = Static<typeof Attachment>;

export function isAttachmentId(text: string): boolean {
  return attachmentIdRegex.test(text);
}

export function attachmentUrl(id: string): string {
  return `${attachmentPaths[0]}/${id}`;
}

/** The attachment that a message's content refers to: `file` is its id, or `url` ends with its path. */
export function attachmentOf(content: object): string | undefined {
  const { file, url } = content as { file?: unknown; url?: unknown };
  if (typeof file === "string" && attachmentIdRegex.test(file)) return file;
  if (typeof url !== "string") return undefined;
  return /\/attache?ments\/(f-[a-z2-7]{32})\/?(?:[?#]|$)/.exec(url)?.[1];
}
