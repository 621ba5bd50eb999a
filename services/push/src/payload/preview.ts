// What a message's content looks like in a notification.
import { type contentKinds, durationText, uncountedTypes } from "@parley/protocol";
import { behind, type Line, lineOf, phraseLine } from "./line.ts";
import type { Notice } from "./notice.ts";
import type { Phrases } from "./phrases/phrases.ts";
import { shownText } from "./shown-text.ts";

type Content = NonNullable<Notice["content"]>;

/** Content that changes another message or tells what happened in a room, or that is gone: nobody is told of it. */
export function uncountedContent(content: Content | undefined): boolean {
  return content !== undefined && (uncountedTypes.has(content.type) || content.type === "erased");
}

/** In one line. Whatever an older message holds in a field is said if it can be. */
export function previewOf(content: Content | undefined, phrases: Phrases): Line {
  const { type = "" } = content ?? {};
  const write = Object.hasOwn(kinds, type) ? kinds[type as Shown] : undefined;
  return (content && write?.(content, phrases)) ?? phraseLine(phrases.sentMessage);
}

type Write = (content: Content, phrases: Phrases) => Line | undefined;
type Shown = Exclude<keyof typeof contentKinds, "vote" | "close" | "edit" | "recall" | "reaction">;

const kinds: Readonly<Record<Shown, Write>> = {
  text({ data }) {
    const text = shownText(data);
    return text === "" ? undefined : lineOf(text);
  },
  image: ({ data }, phrases) => named("📷", phrases.image, { said: data }, phrases),
  video: ({ data, durationMs }, phrases) => named("🎥", phrases.video, { said: data, durationMs }, phrases),
  audio({ data, name, durationMs, voice }, phrases) {
    if (voice === true) return named("🎤", phrases.voice, { said: data, durationMs }, phrases);
    return named("🎵", phrases.audio, { said: shownText(data) || name, durationMs }, phrases);
  },
  file: ({ data, name }, phrases) => named("📎", phrases.file, { said: shownText(data) || name }, phrases),
  location: ({ name, address }, phrases) =>
    named("📍", phrases.location, { said: shownText(name) || address }, phrases),
  contact: ({ name }, phrases) => named("👤", phrases.contact, { said: name }, phrases),
  sticker({ emoji }, phrases) {
    const shown = asEmoji(shownText(emoji));
    return phraseLine(shown === "" ? phrases.sticker : `${shown} ${phrases.sticker}`);
  },
  call({ media, outcome, durationMs }, phrases) {
    const words = phrases.call[media === "video" ? "video" : "audio"];
    const said =
      typeof outcome === "string" && Object.hasOwn(words, outcome) ? words[outcome as "missed"] : words.answered;
    return named("📞", said, { durationMs }, phrases);
  },
  poll: ({ question }, phrases) => named("📊", phrases.poll, { said: question }, phrases),
};

// `📷 Photo: my cat`, `🎤 Voice message (0:05)`
function named(
  sign: string,
  word: string,
  { said, durationMs }: { said?: unknown; durationMs?: unknown },
  { colon, direction }: Phrases,
): Line {
  const duration = isDuration(durationMs) ? ` (${durationText(durationMs)})` : "";
  const text = shownText(said);
  const words = `${sign} ${word}${duration}`;
  return text === "" ? phraseLine(words) : behind(words + colon, lineOf(text), direction);
}

function isDuration(ms: unknown): ms is number {
  return typeof ms === "number" && ms >= 0 && ms <= Number.MAX_SAFE_INTEGER;
}

// A sticker may call anything its emoji: one that is none is not shown.
function asEmoji(text: string): string {
  return /^(\p{RGI_Emoji}){1,3}$/v.test(text) ? text : "";
}
