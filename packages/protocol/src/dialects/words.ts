// What a message says in plain words, for dialects that have no word of their own for it: text in place of silence.
import { attachmentOf, attachmentUrl } from "../attachments.ts";
import type { contentKinds, MessageContent } from "../packets/content.ts";
import { eventText } from "./event-words.ts";
import { durationText, listed, sentence, shortText, sizeText } from "./phrases.ts";

/** What is read of a message. */
export interface Worded {
  from: string;
  content: { type: string } & Record<string, unknown>;
  /** seq of the message that it answers */
  reply?: number;
  forwarded?: { from?: string };
  /** what its sender calls itself */
  nick?: string;
}

/** How the words look. */
export interface Look {
  /** address of the HTTP API as devices reach it, without a slash at its end */
  publicUrl: string;
  /** the message that `pointsAt` names, where it can be read */
  about?: Worded | undefined;
}

/** The message in words, with those of the one that it points at or answers. */
export function textOf(message: Worded, look: Look): string {
  const { content, reply, forwarded } = message;
  const text = contentText(content, look, message.from);
  const whose = forwarded && (forwarded.from === undefined ? "forwarded: " : `forwarded from ${forwarded.from}: `);
  const answered = reply === undefined ? "" : `\n↩ to: ${aboutText(look, reply)}`;
  return `${whose ?? ""}${text}${answered}`;
}

/** `nick: text`, for dialects in which a sender has no nick; the text alone where the message has none. */
export function withNick({ nick }: Worded, text: string): string {
  return typeof nick === "string" && nick !== "" ? `${nick}: ${text}` : text;
}

/** Seq of the message whose words `textOf` needs too; undefined: it needs none. */
export function pointsAt({ content, reply }: Worded): number | undefined {
  const { type, seq, data } = content as { type: string; seq?: unknown; data?: { seq?: unknown } };
  if (type === "reaction" || type === "vote" || type === "close") return asSeq(seq);
  if (type === "event" && data !== null && typeof data === "object") return asSeq(data.seq);
  return asSeq(reply);
}

/** Where the file of a content is read: needs a token where it is an attachment; undefined: it names none. */
export function urlOf(content: object, publicUrl: string): string | undefined {
  const { url } = content as { url?: unknown };
  const attachment = attachmentOf(content);
  if (attachment !== undefined) return publicUrl + attachmentUrl(attachment);
  if (typeof url !== "string" || url === "") return undefined;
  return url.startsWith("/") ? publicUrl + url : url;
}

function asSeq(value: unknown): number | undefined {
  return Number.isSafeInteger(value) ? (value as number) : undefined;
}

function contentText(content: Worded["content"], look: Look, from: string): string {
  if (content.type === "event") return eventText(content.data, from, (seq) => aboutText(look, seq));
  const words = Object.hasOwn(kinds, content.type) ? kinds[content.type as keyof typeof kinds] : undefined;
  return words ? words(content as never, look) : foreignText(content);
}

type Kind<T extends MessageContent["type"]> = Extract<MessageContent, { type: T }>;

const kinds: { [T in keyof typeof contentKinds]: (content: Kind<T>, look: Look) => string } & {
  erased: () => string;
} = {
  text({ data, preview }) {
    const text = typeof data === "string" ? data : "";
    if (typeof preview?.url !== "string" || typeof preview.title !== "string") return text;
    return sentence([text, `\n[${preview.title}]`, text.includes(preview.url) ? undefined : preview.url]);
  },
  image: fileText,
  audio: fileText,
  video: fileText,
  file: fileText,
  location({ latitude, longitude, name, address }) {
    return sentence(["[location]", name, address, `${latitude},${longitude}`]);
  },
  contact({ name, uid, phones, emails }) {
    return sentence(["[contact]", name, uid, listed(phones, ", "), listed(emails, ", ")]);
  },
  sticker(content, { publicUrl }) {
    const { emoji, name, pack } = content;
    return sentence(["[sticker]", emoji, name, pack, urlOf(content, publicUrl)]);
  },
  call({ media, outcome, durationMs }) {
    return sentence([`[${media} call]`, outcome === "ringing" ? "is calling" : outcome, durationText(durationMs)]);
  },
  poll({ question, options, multiple, anonymous }) {
    const choices = Array.isArray(options) ? options.map((option, index) => `\n${index + 1}) ${option}`) : [];
    return `[${anonymous ? "anonymous " : ""}poll${multiple ? ", several" : ""}] ${question}${choices.join("")}`;
  },
  vote({ seq, options }, look) {
    const poll = aboutText(look, seq);
    if (!Array.isArray(options)) return `voted in: ${poll}`;
    return options.length === 0
      ? `took back the vote in: ${poll}`
      : `voted ${options.map((option) => option + 1).join(", ")} in: ${poll}`;
  },
  close({ seq }, look) {
    return `closed the poll: ${aboutText(look, seq)}`;
  },
  edit({ data }) {
    return `✎ ${asText(data)}`;
  },
  recall: () => removed,
  reaction({ data, seq, remove }, look) {
    return `${remove ? "took back " : ""}${data} to: ${aboutText(look, seq)}`;
  },
  // Of what was recalled or has expired.
  erased: () => removed,
};

const removed = "message removed";

function fileText(content: Kind<"image" | "audio" | "video" | "file">, { publicUrl }: Look): string {
  const { type, name, size, data } = content;
  const { durationMs, voice } = content as Partial<Kind<"audio">>;
  const caption = typeof data === "string" ? data : undefined;
  const facts = listed([name, durationText(durationMs), sizeText(size)], ", ");
  return sentence([`[${voice ? "voice" : type}]`, caption, facts, urlOf(content, publicUrl)]);
}

const aboutCharacters = 40;

// As it is now; by its place where it cannot be read.
function aboutText(look: Look, seq: number): string {
  if (!look.about) return `message ${seq}`;
  const { recalled, edited } = look.about as Worded & { recalled?: unknown; edited?: Pick<Worded, "content"> };
  if (recalled) return removed;
  const now = edited ? { ...look.about.content, data: edited.content.data } : look.about.content;
  return shortText(
    contentText(now as Worded["content"], { publicUrl: look.publicUrl }, look.about.from),
    aboutCharacters,
  );
}

const foreignCharacters = 1_000;

// Of an application's own types, and those of a newer version: their name and what they hold.
function foreignText({ type, ...fields }: Worded["content"]): string {
  const { data = fields } = fields;
  return shortText(sentence([`[${type}]`, asText(data)]), foreignCharacters);
}

function asText(data: unknown): string {
  return typeof data === "string" ? data : data === undefined ? "" : JSON.stringify(data);
}
