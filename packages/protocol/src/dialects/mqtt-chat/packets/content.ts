// What `c` and `m` of a message are as Parley's content, and back. What another device of this protocol sent comes out as it went in.
import { attachmentOf } from "../../../attachments.ts";
import type { JsonObject } from "../../../codec.ts";
import { AppError } from "../../../errors.ts";
import { refuseContent } from "../../../packets/content.ts";
import { spellOut } from "../../spell-out.ts";
import { whenKnown } from "../../when-known.ts";
import { urlOf, type Worded, withNick } from "../../words.ts";
import type { Device, StoredMessage } from "../device/device.ts";
import { readObject, textField } from "../device/payload.ts";
import { type MessageKind, messageKinds } from "../device/words.ts";

/** In a content: what only this protocol has words for. */
export interface OwnFields {
  c?: MessageKind;
  /** where the content does not have it as `data` */
  m?: string;
  /** the sender gave the message a number */
  i?: number;
  /** false: the sender wants no receipt */
  d?: false;
}

export type Content = { type: string; mqttChat?: OwnFields } & Record<string, unknown>;

const encoder = new TextEncoder();
const read = (m: string): JsonObject => readObject(encoder.encode(m)) ?? {};
const isUrl = (text: string | undefined): text is string =>
  text !== undefined && (/^https?:\/\/\S+$/.test(text) || attachmentOf({ url: text }) !== undefined);

type ContentOf = (m: string) => Content;

const readers: Readonly<Partial<Record<MessageKind, ContentOf>>> = {
  IMAGE: (m) => fileOf("image", m),
  FILE: (m) => fileOf("file", m),
  VIDEO: (m) => fileOf("video", m),
  MAP(m) {
    const { Lat, Long } = read(m);
    return { type: "location", latitude: Lat, longitude: Long };
  },
  CONTACT(m) {
    const object = read(m);
    const phone = textField(object, "phoneNumber");
    return { type: "contact", name: object.name, ...(phone === undefined ? {} : { phones: [phone] }) };
  },
};

// `m` is an address, or JSON with one that others can load once the file was uploaded.
function fileOf(type: string, m: string): Content {
  const object = read(m);
  const details = (
    typeof object.metaData === "object" && object.metaData !== null ? object.metaData : {}
  ) as JsonObject;
  const url = [m, textField(object, "url"), textField(object, "path")].find(isUrl);
  const shown = textField(object, "name") ?? (url === undefined ? undefined : "");
  const name = textField(details, "name");
  return {
    type,
    ...(url === undefined ? {} : { url }),
    ...(shown ? { data: shown } : {}),
    ...(name === undefined ? {} : { name }),
    ...(Number.isSafeInteger(details.size) ? { size: details.size } : {}),
  };
}

/** As Parley's content; a `c` that nobody knows is a text. */
export function contentOf(c: unknown, m: string): Content {
  const kind = messageKinds.find((one) => one === c) ?? "TEXT";
  if (kind === "TEXT") return { type: "text", data: m };
  if (kind === "NOTIFICATION") return { type: "text", data: m, mqttChat: { c: kind } };
  const content = readers[kind]?.(m);
  if (content && !(refuseContent({ content }) instanceof AppError)) return { ...content, mqttChat: { c: kind, m } };
  return { type: `x-mqtt-chat.${kind.toLowerCase()}`, data: m, mqttChat: { c: kind } };
}

/** What only this protocol has of a content, where it is of its form. */
export function ownFieldsOf({ mqttChat, data }: Content): OwnFields {
  if (typeof mqttChat !== "object" || mqttChat === null) return {};
  const { c, m = data, i, d } = mqttChat as Record<string, unknown>;
  const kind = messageKinds.find((one) => one === c);
  return {
    ...(kind !== undefined && typeof m === "string" ? { c: kind, m } : {}),
    ...(typeof i === "number" ? { i } : {}),
    ...(d === false ? { d } : {}),
  };
}

/** As its sender named it: what programs send as a number is no name for others, it comes again. */
export function ownIdOf({ id, content }: Pick<StoredMessage, "id" | "content">): string {
  const { i } = ownFieldsOf(content);
  return i === undefined ? id : `${i}`;
}

interface Words {
  c: MessageKind;
  m: string;
}

/** Those of a stored message. */
export function wordsOf(message: StoredMessage, { parley }: Device): Words | Promise<Words> {
  const { content } = message;
  const { c, m } = ownFieldsOf(content);
  if (c !== undefined && m !== undefined) return { c, m };
  const special = Object.hasOwn(writers, content.type) ? writers[content.type]?.(content, parley.publicUrl) : undefined;
  if (special) return { c: special.c, m: JSON.stringify(special.m) };
  return whenKnown(spellOut(message as never, parley), (text) => ({
    c: content.type === "event" ? "NOTIFICATION" : "TEXT",
    m: withNick(message as never as Worded, text),
  }));
}

type Special = { c: MessageKind; m: object } | undefined;

const writers: Readonly<Record<string, (content: Content, publicUrl: string) => Special>> = {
  image(content, publicUrl) {
    const path = urlOf(content, publicUrl);
    if (path === undefined) return undefined;
    const { data, name = "", size } = content;
    const shown = typeof data === "string" && data !== "" ? data : name;
    return { c: "IMAGE", m: { contentUploaded: true, name: shown, type: "image", path, metaData: { name, size } } };
  },
  location({ latitude: Lat, longitude: Long, name, address }) {
    return { c: "MAP", m: { Lat, Long, name, address } };
  },
  contact({ name, phones }) {
    const phoneNumber = Array.isArray(phones) ? phones[0] : undefined;
    return phoneNumber === undefined ? undefined : { c: "CONTACT", m: { name, phoneNumber } };
  },
};
