// Attachments: files that are uploaded over HTTP and referred to by messages. Bytes are no JSON, so these are no methods.
import Type, { type Static } from "typebox";
import { Ms, Pixels, thumbnailFields, Waveform } from "./media.ts";

/** 160 random bits: who knows it was told it. */
export const attachmentIdPattern = "^f-[a-z2-7]{32}$";
const attachmentIdRegex = new RegExp(attachmentIdPattern);

/** The paths, SlimChat's own spelling last. */
export const attachmentPaths = ["/attachments", "/attachements"] as const;

/** All that a method's path may be written as. */
export function spellingsOf(path: string): string[] {
  const [own] = attachmentPaths;
  return path.startsWith(`${own}/`) ? attachmentPaths.map((spelling) => spelling + path.slice(own.length)) : [path];
}

/** What is served on them. */
export const attachmentRoutes: readonly { verb: "GET" | "POST"; path: string }[] = attachmentPaths.flatMap((path) => [
  { verb: "POST", path },
  { verb: "GET", path: `${path}/{id}` },
  { verb: "GET", path: `${path}/{id}/thumbnail` },
  { verb: "GET", path: `${path}/{id}/thumbnail/{grant}` },
]);

/** What the server has made of a picture, a recording or a film, as a message's content says it. */
const Media = Type.Object({
  state: Type.Union([Type.Literal("pending"), Type.Literal("ready"), Type.Literal("failed")], {
    description: "pending: ask again; failed: `reason` says why",
  }),
  reason: Type.Optional(
    Type.Union([Type.Literal("unreadable"), Type.Literal("too_large"), Type.Literal("too_slow")], {
      description: "unreadable: no program understands it; too_large: its bytes, pixels or memory; too_slow: its time",
    }),
  ),
  width: Type.Optional(Pixels),
  height: Type.Optional(Pixels),
  durationMs: Type.Optional(Ms),
  waveform: Type.Optional(Waveform),
  thumbnail: Type.Optional(Type.Object(thumbnailFields)),
});

const hashPattern = "^sha256:[0-9a-f]{64}$";

/** What an upload answers. */
export const Attachment = Type.Object({
  id: Type.String({ pattern: attachmentIdPattern, description: "to be sent as `content.file` of a message" }),
  url: Type.String({ description: "path of its bytes" }),
  name: Type.String({ description: "the file's name as it was given, made harmless" }),
  size: Type.Integer({ minimum: 0, description: "bytes" }),
  mime: Type.String({ description: "media type, by what the bytes are" }),
  hash: Type.String({ pattern: hashPattern, description: "SHA-256 of the bytes, as who asks gets them" }),
  sharedHash: Type.Optional(
    Type.String({
      pattern: hashPattern,
      description: "told to who uploaded it, where others get other bytes: SHA-256 of those, without where it was made",
    }),
  ),
  media: Type.Optional(Media),
  scan: Type.Optional(
    Type.Union([Type.Literal("pending"), Type.Literal("clean"), Type.Literal("infected"), Type.Literal("unscanned")], {
      description:
        "for malware. pending: others may not have it yet; infected: its bytes are removed; unscanned: too large",
    }),
  ),
});
export type Attachment = Static<typeof Attachment>;

export function isAttachmentId(text: string): boolean {
  return attachmentIdRegex.test(text);
}

export function attachmentUrl(id: string): string {
  return `${attachmentPaths[0]}/${id}`;
}

/** The path of its thumbnail; with a grant one that needs no token. */
export function thumbnailUrl(id: string, grant?: string): string {
  const path = `${attachmentUrl(id)}/thumbnail`;
  return grant === undefined ? path : `${path}/${encodeURIComponent(grant)}`;
}

/** The attachment that a message's content refers to: `file` is its id, or `url` ends with its path. */
export function attachmentOf(content: object): string | undefined {
  const { file, url } = content as { file?: unknown; url?: unknown };
  if (typeof file === "string" && attachmentIdRegex.test(file)) return file;
  if (typeof url !== "string") return undefined;
  return /\/attache?ments\/(f-[a-z2-7]{32})\/?(?:[?#]|$)/.exec(url)?.[1];
}

/** The same as an append says it. An address with a host may be another server's: its sender need not have it here. */
export function sentFile(content: object): { file: string; mustHaveFile?: true } | undefined {
  const file = attachmentOf(content);
  if (file === undefined) return undefined;
  const { file: id, url } = content as { file?: unknown; url?: string };
  return file === id || url?.startsWith("/") ? { file, mustHaveFile: true } : { file };
}
