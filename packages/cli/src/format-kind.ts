// Content that is no text, in words: files, places, people, stickers, calls, polls.
import type { Message, MessageContent } from "@parley/client";

type Kind<T extends MessageContent["type"]> = Extract<MessageContent, { type: T }>;

/** undefined for a type that has no words of its own. What a sender wrote is in it as it is. */
export function formatKind(content: Message["content"]): string | undefined {
  return words[content.type]?.(content as never);
}

const words: Readonly<Record<string, (content: never) => string>> = {
  image: file,
  audio: file,
  video: file,
  file,
  location({ latitude, longitude, name, address }: Kind<"location">) {
    return joined(["(location)", name, address, `${latitude}, ${longitude}`]);
  },
  contact({ name, uid, phones = [], emails = [] }: Kind<"contact">) {
    return joined(["(contact)", name, uid, ...phones, ...emails]);
  },
  sticker({ emoji, name, pack }: Kind<"sticker">) {
    return joined(["(sticker)", emoji, name, pack]);
  },
  poll({ question, options, multiple, anonymous }: Kind<"poll">) {
    const listed = options.map((option, index) => `${index + 1}) ${option}`);
    return joined([`(${anonymous ? "anonymous " : ""}poll${multiple ? ", several" : ""})`, question, ...listed]);
  },
  vote({ seq, options }: Partial<Kind<"vote">>) {
    const chosen = options?.map((option) => option + 1).join(", ");
    return `(vote on #${seq}) ${chosen === "" ? "taken back" : (chosen ?? "")}`.trimEnd();
  },
  close({ seq }: Kind<"close">) {
    return `(closed the poll #${seq})`;
  },
  call({ media, outcome, durationMs }: Kind<"call">) {
    const said = outcome === "ringing" ? "is calling" : outcome;
    return `(${media} call) ${said}${durationMs === undefined ? "" : `, ${formatDuration(durationMs)}`}`;
  },
};

function file({ type, name, size, durationMs, voice, data, url }: Kind<"audio">): string {
  const length = durationMs === undefined ? undefined : formatDuration(durationMs);
  const bytes = size === undefined ? undefined : formatBytes(size);
  return joined([
    `(${voice ? "voice" : type})`,
    name ?? url,
    length,
    bytes,
    typeof data === "string" ? data : undefined,
  ]);
}

// Whatever an older message holds in a field is shown if it can be.
function joined(parts: readonly unknown[]): string {
  return parts.filter((part) => typeof part === "string" && part !== "").join(" ");
}

/** `2:05`, `1:02:05` */
function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  const two = (number: number) => `${number}`.padStart(2, "0");
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}`;
}

/** `48 kB` */
function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${Math.round(bytes / 1_000 ** step)} ${units[step]}`;
}
