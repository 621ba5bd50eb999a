// Channel Msg: the body is what is said, user properties are all else.
import { attachmentOf } from "../../attachments.ts";
import { AppError } from "../../errors.ts";
import { roomConv } from "../../ids.ts";
import type { Via } from "../../nested-rooms.ts";
import { isStoredMessage } from "../../packets/downlink.ts";
import type { Downlink, Outgoing, Parley, Published, Said } from "../dialect.ts";
import { spellOut } from "../spell-out.ts";
import { whenKnown } from "../when-known.ts";
import { textOf, urlOf, type Worded, withNick } from "../words.ts";
import { type Field, type Fields, keptFields, writeFields } from "./fields.ts";
import { channelIdOf, writeUser } from "./names.ts";

/** A stored message, as far as it is read here. */
export interface StoredMessage extends Worded {
  conv: string;
  seq: number;
  ts: number;
  id?: string;
  /** its sender's client id */
  device?: string;
  via?: readonly Via[];
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

export function messageTopic(chid: string): string {
  return `ass/msg/${chid}`;
}

/** The packet, if it is a stored message. */
export function asMessage(packet: Downlink): StoredMessage | undefined {
  return isStoredMessage(packet) ? (packet as never) : undefined;
}

/** What a device sends, without where it goes. */
export function readMessage({ payload, properties }: Published, fields: Fields): Omit<Outgoing, "to"> | AppError {
  const body = textIn(payload);
  if (body === undefined) return new AppError("invalid_packet", "the body must be text in UTF-8");
  const repeated = fields.repeated(["CHID", "Id", "Edit", "Recall", "Reaction", "Reply", "Type"]);
  if (repeated) return repeated;
  const content = contentOf(body, properties.contentType, fields);
  if (content instanceof AppError) return content;
  const reply = seqIn(fields, "Reply");
  if (reply instanceof AppError) return reply;
  const [id, others] = [fields.one("Id"), fields.others()];
  return {
    ...(id === undefined ? {} : { id }),
    content,
    ...(reply === undefined ? {} : { reply }),
    ...(others.length === 0 ? {} : { properties: others }),
  };
}

function textIn(payload: Uint8Array): string | undefined {
  try {
    return utf8.decode(payload);
  } catch {
    return undefined;
  }
}

function contentOf(body: string, mime: string | undefined, fields: Fields): Outgoing["content"] | AppError {
  for (const name of ["Edit", "Recall", "Reaction"] as const) {
    const seq = seqIn(fields, name);
    if (seq instanceof AppError) return seq;
    if (seq === undefined) continue;
    if (name === "Recall") return { type: "recall", seq };
    if (name === "Edit") return { type: "edit", seq, data: body };
    return { type: "reaction", seq, data: body, ...(fields.one("Remove") === "true" ? { remove: true } : {}) };
  }
  const type = fields.one("Type");
  if (type?.startsWith("x-")) return { type, data: body };
  if (type !== undefined) return new AppError("invalid_packet", "Type of what a client sends begins with x-");
  if (!isFileUrl(body, mime)) return { type: "text", data: body };
  const [kind = ""] = mime.split("/", 1);
  const [name, data] = [fields.one("Name"), fields.one("Caption")];
  const isKnown = kind === "image" || kind === "audio" || kind === "video";
  const said = { ...(name === undefined ? {} : { name }), ...(data === undefined ? {} : { data }) };
  return { type: isKnown ? kind : "file", url: body, mime, ...said };
}

/** A text may be an address too: of text a file is what was uploaded here. */
function isFileUrl(body: string, mime: string | undefined): mime is string {
  if (mime === undefined || !/^(https?:\/\/|\/)\S+$/.test(body)) return false;
  return !mime.startsWith("text/") || attachmentOf({ url: body }) !== undefined;
}

function seqIn(fields: Fields, name: string): number | undefined | AppError {
  if (!fields.has(name)) return undefined;
  const value = fields.one(name) ?? "";
  const seq = /^[1-9]\d{0,14}$/.test(value) ? Number(value) : Number.NaN;
  return Number.isNaN(seq) ? new AppError("invalid_packet", `${name} is the Seq of a message`) : seq;
}

/** The same way down. */
export function writeMessage(
  chid: string,
  message: StoredMessage,
  parley: Pick<Parley, "call" | "publicUrl">,
): Said | Promise<Said> {
  const { id, from, seq, ts, reply, content } = message;
  const told = toldAs(message, parley);
  const written = ({ body, fields = [], mime }: Told): Said => {
    const userProperties = [
      ...writeFields([
        ["CHID", chid],
        ["From", writeUser(from)],
        ["Id", id],
        ["Seq", seq],
        ["Ts", ts],
        ...waysOf(message).map(({ id }) => ["Via", channelIdOf(roomConv(id))] as const),
      ]),
      ...writeFields([...fields, ["Reply", reply], ["Type", content.type.startsWith("x-") ? content.type : undefined]]),
      ...writeFields(keptFields((message as { properties?: unknown }).properties)),
    ];
    const contentType = mime === undefined ? {} : { contentType: mime };
    return { topic: messageTopic(chid), payload: body, properties: { userProperties, ...contentType } };
  };
  return whenKnown(told, written);
}

/** The channels that it came through; none for most. */
export function waysOf({ via }: StoredMessage): readonly Via[] {
  return Array.isArray(via) ? via : [];
}

interface Told {
  body: string;
  fields?: readonly (readonly [string, string | number | undefined])[];
  mime?: string;
}

const removed = "message removed";

function toldAs(message: StoredMessage, parley: Pick<Parley, "call" | "publicUrl">): Told | Promise<Told> {
  const { content } = message;
  const { seq, data } = content as { seq?: number; data?: unknown };
  switch (content.type) {
    case "text":
      return { body: withNick(message, textOf(unanswered(message), parley)) };
    case "edit":
      return { body: `${data ?? ""}`, fields: [["Edit", seq]] };
    case "recall":
      return { body: removed, fields: [["Recall", seq]] };
    case "reaction":
      return { body: `${data ?? ""}`, fields: reactionFields(seq, content.remove) };
    default: {
      const url = urlOf(content, parley.publicUrl);
      if (url !== undefined) return { body: url, mime: mimeOf(content), fields: fileFields(content) };
      const words = spellOut({ ...unanswered(message) }, parley);
      return whenKnown(words, (text) => ({ body: withNick(message, text) }));
    }
  }
}

/** What it answers is told by a property. */
function unanswered({ reply: _, ...message }: StoredMessage): Omit<StoredMessage, "reply"> {
  return message;
}

function reactionFields(seq: number | undefined, remove: unknown): Field[] {
  return writeFields([
    ["Reaction", seq],
    ["Remove", remove === true ? "true" : undefined],
  ]);
}

const kindMimes: Readonly<Record<string, string>> = {
  image: "image/*",
  sticker: "image/*",
  audio: "audio/*",
  video: "video/*",
};

function mimeOf({ type, mime }: Worded["content"]): string {
  const isMime = typeof mime === "string" && /^[\w.+-]+\/[\w.+*-]+$/.test(mime);
  return isMime ? mime : (kindMimes[type] ?? "application/octet-stream");
}

function fileFields({ name, data }: Worded["content"]): Field[] {
  return writeFields([
    ["Name", typeof name === "string" ? name : undefined],
    ["Caption", typeof data === "string" ? data : undefined],
  ]);
}
