// Messages and notices as a line of text.
import type { Message, PollState } from "@parley/client";
import { formatKind } from "./format-kind.ts";
import { type Output, printable } from "./output.ts";

/** `12:31 #76 bob  hi`, 76 being its seq; with `conv` in front where several conversations meet. */
export function formatMessage(
  message: Message,
  output: Output,
  options: { conv?: boolean; mark?: string } = {},
): string {
  const time = output.style("dim", formatTime(message.ts));
  const where = options.conv ? output.style("dim", `[${printable(message.conv)}] `) : "";
  const seq = output.style("dim", `#${message.seq}`);
  const mark = options.mark ? ` ${output.style("green", options.mark)}` : "";
  const origin = output.style("dim", `${formatForwarded(message)}${formatQuoted(message)}`);
  const text = `${output.style("cyan", printable(message.from))}  ${origin}${formatSeen(message)}`;
  return `${time} ${where}${seq} ${text}${output.style("dim", `${formatPoll(message)}${formatReplies(message)}${formatReactions(message)}`)}${mark}`;
}

// As it stands now: edited or taken back.
function formatSeen({ content, edited, recalled }: Message): string {
  if (recalled?.expired) return "(disappeared)";
  if (recalled) return `(recalled by ${printable(recalled.by)})`;
  if (!edited) return formatContent(content);
  const { data } = edited.content as { data?: unknown };
  const now: Message["content"] & { data?: unknown } = { ...content, data };
  return `${formatContent(now)} (edited)`;
}

function formatForwarded({ forwarded }: Message): string {
  if (!forwarded) return "";
  return forwarded.from === undefined ? "[forwarded] " : `[forwarded from ${printable(forwarded.from)}] `;
}

const quotedCharacters = 40;

// Of a message that may not be read, or live, only the place is known.
function formatQuoted(message: Message): string {
  const { quoted, reply } = message as Message & { reply?: number };
  if (!quoted) return reply === undefined ? "" : `[re #${reply}] `;
  const text = formatContent(quoted.content).replaceAll(/\s+/g, " ");
  const short = text.length > quotedCharacters ? `${[...text].slice(0, quotedCharacters).join("")}…` : text;
  return `[re #${quoted.seq} ${printable(quoted.from)}: ${short}] `;
}

function formatReplies({ replies }: Message): string {
  return replies ? `  [${replies.count} in its thread]` : "";
}

function formatPoll({ poll }: Message): string {
  return poll ? `  [${formatPollState(poll)}]` : "";
}

/** `1: 2, 3: 1, 3 voted, closed` */
export function formatPollState({ options, voters, closed }: PollState): string {
  const counts = options.map(({ option, count }) => `${option + 1}: ${count}`);
  return [...counts, `${voters} voted`, ...(closed ? ["closed"] : [])].join(", ");
}

function formatReactions({ reactions = [] }: Message): string {
  return reactions.map(({ reaction, count }) => `  ${printable(reaction)} ${count}`).join("");
}

/** The content in a few words. */
export function formatContent(content: Message["content"]): string {
  const { type, data, seq } = content as { type: string; data?: unknown; seq?: number };
  if (type === "text" && typeof data === "string") return `${printable(data)}${formatPreview(content)}`;
  if (type === "event") return `* ${formatEvent(data)}`;
  const words = formatKind(content);
  if (words !== undefined) return printable(words);
  const points = seq === undefined ? "" : ` of #${seq}`;
  const text = typeof data === "string" ? data : data === undefined ? "" : JSON.stringify(data);
  return `(${printable(type)}${points})${text ? ` ${printable(text)}` : ""}`;
}

// Whatever an older message holds there is shown if it can be. Beside what it says stands where it leads.
function formatPreview(content: object): string {
  const { preview } = content as { preview?: { url?: unknown; title?: unknown } | null };
  if (typeof preview?.url !== "string" || typeof preview.title !== "string") return "";
  return `  [${printable(preview.title)}, ${printable(URL.parse(preview.url)?.host ?? "")}]`;
}

function formatEvent(data: unknown): string {
  const {
    event,
    by,
    uids = [],
    rooms = [],
  } = (data ?? {}) as Partial<Record<"uids" | "rooms", string[]>> & {
    event?: string;
    by?: string;
  };
  if (!event) return "something happened";
  const who = [...uids.filter((uid) => uid !== by), ...rooms].join(", ");
  return printable([by, eventVerbs[event] ?? event, who].filter(Boolean).join(" "));
}

const eventVerbs: Record<string, string> = {
  create: "made the room with",
  invite: "added",
  join: "joined",
  leave: "left",
  remove: "removed",
  role: "changed the role of",
  transfer: "handed the room over to",
  ban: "banned",
  unban: "unbanned",
  mute: "muted",
  unmute: "unmuted",
  update: "changed the room",
  archive: "archived the room",
  unarchive: "opened the room again",
  delete: "deleted the room",
  ask: "asks to be let in",
  admit: "let in",
  refuse: "refused",
  block: "left, and takes no invitation any more",
  unblock: "takes invitations again",
  link: "made an invite link",
  unlink: "ended an invite link",
  nest: "had messages go on to",
  unnest: "ended that messages go on to",
  pin: "pinned a message",
  unpin: "took a pin away",
  expiry: "changed when messages disappear",
};

function formatTime(ts: number): string {
  const date = new Date(ts);
  const time = date.toTimeString().slice(0, 5);
  return date.toDateString() === new Date().toDateString() ? time : `${date.toISOString().slice(0, 10)} ${time}`;
}
