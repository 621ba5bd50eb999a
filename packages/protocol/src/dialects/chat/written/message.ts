// A stored message as a record of chat.
import type { Message } from "../../../packets/downlink.ts";
import type { Downlink } from "../../dialect.ts";
import { spellOut } from "../../spell-out.ts";
import { whenKnown } from "../../when-known.ts";
import { textOf, urlOf, type Worded, withNick } from "../../words.ts";
import type { Device } from "../device/device.ts";
import { feedOf, memberId, messageId } from "../device/names.ts";
import type { ChatMessage, Desc, Feed } from "../records/messages.ts";
import { type Content, descOf } from "./content.ts";

/** What chat has of a message and nobody else, stored with it. */
export interface Kept {
  /** the id that its device gave it, where a message's id cannot be it */
  msgId?: string;
  /** unix ms, by the clock of its device */
  created?: number;
  /** id of its text */
  desc?: string;
  /** the Descs, where they say more than the content */
  files?: Desc[];
}

/** With what its sender may have given it. */
type Shown = Omit<Message, "content" | "edited"> &
  Worded & { content: Content; edited?: { content: Content }; chat?: unknown };

/** The message as it is now, in history: `edited` and `recalled` say so. */
export function writeMessage(device: Device, stored: Message): ChatMessage | Promise<ChatMessage> {
  const message = stored as unknown as Shown;
  const kept = keptOf(message);
  const files = message.recalled ? [] : filesOf(device, message, kept);
  return whenKnown(files, (known) => writeWith(known, device, message, kept));
}

function writeWith(files: Desc[], device: Device, message: Shown, kept: Kept): ChatMessage {
  const { conv, seq, from, ts, recalled, reply, content, forwarded } = message;
  const feed = feedOf(conv);
  const id = messageId(conv, seq);
  const types = [
    ...(content.type === "event" ? ["sys"] : []),
    ...(reply === undefined ? [] : ["reply"]),
    ...(forwarded === undefined ? [] : ["forward"]),
  ];
  const about = aboutOf(message);
  return {
    tup: "Message",
    id,
    feed_id: feed,
    prev: seq > 1 ? id - 1 : undefined,
    msg_id: kept.msgId ?? message.id,
    from,
    to: otherOf(feed, from),
    created: kept.created ?? ts,
    files,
    type: about === undefined ? (types.length === 0 ? undefined : typesOf(device, types)) : ["reply"],
    edit_msg: about,
    link: about,
    seenby: recalled ? [-1] : undefined,
    mentioned: mentioned(conv, content),
    status: statusOf(device, message),
  };
}

function otherOf(feed: Feed, from: string): string | undefined {
  if (feed.tup !== "p2p") return feed.name;
  return feed.from === from ? feed.to : feed.from;
}

/** The older set has one type and no word for some. */
function typesOf({ set }: Device, types: string[]): string[] {
  return set === "late" ? types : types.filter((type) => type !== "sys").slice(0, 1);
}

function statusOf({ set }: Device, { content, recalled, edited }: Shown): string | undefined {
  if (set === "late") return recalled ? "delete" : edited ? "edit" : undefined;
  if (recalled || edited) return "edit";
  return content.type === "event" ? "muc" : "sent";
}

/** The number of the message that this one is about, or answers. */
function aboutOf({ conv, content, reply }: Shown): number | undefined {
  const seq = typeof content.seq === "number" ? content.seq : reply;
  return typeof seq === "number" ? messageId(conv, seq) : undefined;
}

function mentioned(conv: string, { mentions }: Content & { mentions?: unknown }): number[] | undefined {
  if (!Array.isArray(mentions)) return undefined;
  return mentions.map((uid) => memberId(conv, String(uid).replace(/^@/, "")));
}

function filesOf(device: Device, message: Shown, kept: Kept): Desc[] | Promise<Desc[]> {
  const { edited, seq } = message;
  const content = edited ? { ...message.content, data: edited.content.data } : message.content;
  const id = kept.desc ?? `srv_${messageId(message.conv, seq)}`;
  if (kept.files && !edited) return kept.files;
  const url = urlOf(content, device.parley.publicUrl);
  const desc = descOf(content, { id, url });
  const isTold = desc?.mime === "text" && message.nick === undefined;
  if (isTold) return [desc];
  if (!desc || desc.mime === "text") {
    const words = desc
      ? textOf({ ...message, content }, { publicUrl: device.parley.publicUrl })
      : spellOut(message as unknown as Downlink, device.parley);
    return whenKnown(words, (text) => [{ tup: "Desc", id, mime: "text", payload: withNick(message, text) }]);
  }
  const caption = typeof content.data === "string" && content.data !== "" ? [captionOf(id, content.data)] : [];
  return [desc, ...caption];
}

function captionOf(id: string, payload: string): Desc {
  return { tup: "Desc", id: `${id}_text`, mime: "text", payload };
}

function keptOf({ chat }: Shown): Kept {
  return chat !== null && typeof chat === "object" ? checked(chat as Record<string, unknown>) : {};
}

/** Anybody may have written it. */
function checked({ msgId, created, desc, files }: Record<string, unknown>): Kept {
  return {
    ...(typeof msgId === "string" ? { msgId } : {}),
    ...(Number.isSafeInteger(created) ? { created: created as number } : {}),
    ...(typeof desc === "string" ? { desc } : {}),
    ...(Array.isArray(files) ? { files: files.map(checkedDesc) } : {}),
  };
}

function checkedDesc(desc: Record<string, unknown>): Desc {
  const { size, data, ...texts } = desc;
  const isText = ([name, value]: [string, unknown]) => typeof value === "string" && name !== "tup";
  const features = Array.isArray(data) ? data : [];
  return {
    tup: "Desc",
    ...Object.fromEntries(Object.entries(texts).filter(isText)),
    ...(Number.isSafeInteger(size) ? { size: size as number } : {}),
    data: features.map((feature) => ({
      ...Object.fromEntries(Object.entries(feature ?? {}).filter(isText)),
      tup: "Feature",
    })),
  };
}
