// The content of a message ⇄ the Descs that chat has for it.
import { isAttachmentId } from "../../../attachments.ts";
import { isUid } from "../../../ids.ts";
import type { Desc, Feature } from "../records/messages.ts";

export type Content = { type: string } & Record<string, unknown>;

const attachment = /f-[a-z2-7]{32}/;

/** What the Descs of one message say: a content for each of those that stand alone; a text beside one file is said with it. */
export function contentsOf(descs: readonly Desc[]): Content[] {
  const texts = descs.filter(isText);
  const others = descs.filter((desc) => !isText(desc) && !isAbout(desc));
  const text = texts.map(({ payload = "" }) => payload).join("\n");
  const [only] = others;
  if (only === undefined) return text === "" ? [] : [{ type: "text", data: text }];
  const contents = others.map(contentOf);
  const [first] = contents;
  if (text === "") return contents;
  if (others.length === 1 && first && takesCaption(first)) return [{ ...first, data: text }];
  return [{ type: "text", data: text }, ...contents];
}

function isText({ mime }: Desc): boolean {
  return mime === undefined || mime === "text" || mime === "text/plain";
}

/** Said of another one: a translation, a transcript. */
function isAbout({ mime = "" }: Desc): boolean {
  return ["translate", "posttranslate", "transcribe", "thumb"].includes(mime);
}

function takesCaption({ type }: Content): boolean {
  return ["image", "audio", "video", "file"].includes(type);
}

function contentOf(desc: Desc): Content {
  const { mime = "", payload = "" } = desc;
  const kind = mime.split("/")[0] ?? "";
  if (kind === "image" || kind === "video" || kind === "audio") return { type: kind, ...fileOf(desc) };
  if (kind === "sticker")
    return given({ type: "sticker", ...whereOf(payload), emoji: about(desc, "SMILE") ?? desc.info });
  if (kind === "contact") return contactOf(desc);
  if (kind === "place" || kind === "location") return placeOf(desc);
  if (mime === "videoCall" || mime === "audioCall") return callOf(desc);
  const file = fileOf(desc);
  if (kind === "file" || "file" in file || "url" in file) return { type: "file", ...file };
  return { type: "text", data: payload };
}

function fileOf(desc: Desc): Record<string, unknown> {
  const { mime = "", payload = "" } = desc;
  const isSound = mime.startsWith("audio");
  const size = isSound ? undefined : whole(about(desc, "SIZE") ?? desc.size);
  const seconds = about(desc, "DURATION") ?? (mime.startsWith("video") ? desc.info : isSound ? desc.size : undefined);
  const where = whereOf(payload);
  return given({
    ...where,
    ...(Object.keys(where).length === 0 ? { data: payload } : {}),
    name: line(about(desc, "FILENAME") ?? desc.filename, 255),
    size: size === 0 ? undefined : size,
    mime: mime.includes("/") ? mime : undefined,
    durationMs: /^(audio|video)/.test(mime) ? thousandfold(whole(seconds)) : undefined,
    ...(mime.startsWith("image") ? pixels(about(desc, "RESOLUTION") ?? desc.info) : {}),
  });
}

/** A reference: to a file of Parley's, or to one somewhere else. */
function whereOf(payload: string): { file?: string; url?: string } {
  const id = attachment.exec(payload)?.[0];
  if (id !== undefined && isAttachmentId(id)) return { file: id };
  return /^(https?:\/\/|\/)\S{1,2000}$/.test(payload) ? { url: payload } : {};
}

function contactOf(desc: Desc): Content {
  const { payload = "", filename = "" } = desc;
  const [name = "", surname = ""] = filename.split(":").map(plain);
  const said = [about(desc, "NAME") ?? name, about(desc, "SURNAME") ?? surname].filter((part) => part !== "");
  const shown = line(said.join(" "), 128) || payload.slice(0, 128) || "?";
  return given({ type: "contact", name: shown, uid: isUid(payload) ? payload : undefined });
}

function placeOf(desc: Desc): Content {
  const { payload = "", filename = "" } = desc;
  const [latitude, longitude] = payload.split(/[,;: ]+/).map(Number);
  const [name, address] = filename.split(":").map(plain);
  if (!isDegrees(latitude, 90) || !isDegrees(longitude, 180)) return { type: "text", data: payload };
  return given({
    ...{ type: "location", latitude, longitude },
    name: line(about(desc, "NAME") ?? name, 128),
    address: line(about(desc, "ADRESS") ?? address, 256),
  });
}

function isDegrees(value: number | undefined, most: number): boolean {
  return value !== undefined && Math.abs(value) <= most;
}

function callOf(desc: Desc): Content {
  const seconds = whole(about(desc, "DURATION"));
  return given({
    type: "call",
    media: desc.mime === "videoCall" ? "video" : "audio",
    outcome: seconds ? "answered" : "missed",
    call: line(about(desc, "CONFERENCE_ID"), 64),
    startedAt: whole(about(desc, "START_TIME")),
    durationMs: thousandfold(seconds),
  });
}

/** The Desc of a content that chat has a word for; undefined: its words are to be said. `url`: of its file. */
export function descOf(content: Content, { id, url }: { id: string; url: string | undefined }): Desc | undefined {
  const { type } = content;
  if (type === "text") return { tup: "Desc", id, mime: "text", payload: text(content.data) };
  if (["image", "video", "audio", "file"].includes(type)) return fileDesc(content, { id, url });
  if (type === "location") {
    const named = [content.name, content.address].map((part) => encodeURIComponent(text(part))).join(":");
    const payload = `${content.latitude},${content.longitude}`;
    return described({ tup: "Desc", id, mime: "place", payload }, { filename: named }, [
      ["NAME", content.name],
      ["ADRESS", content.address],
    ]);
  }
  if (type === "contact" && typeof content.uid === "string") {
    const desc: Desc = { tup: "Desc", id, mime: "contact", payload: content.uid };
    return described(desc, { filename: encodeURIComponent(text(content.name)) }, [["NAME", content.name]]);
  }
  if (type === "sticker" && url !== undefined)
    return described({ tup: "Desc", id, mime: "sticker", payload: url }, { info: text(content.emoji) }, [
      ["SMILE", content.emoji],
    ]);
  return undefined;
}

function fileDesc(content: Content, { id, url }: { id: string; url: string | undefined }): Desc | undefined {
  if (url === undefined) return undefined;
  const { type, name, size, durationMs, width, height } = content;
  const duration = typeof durationMs === "number" ? String(Math.round(durationMs / 1000)) : undefined;
  const resolution = width && height ? `${width}x${height}` : undefined;
  const sound = whole(type === "audio" ? duration : size) ?? 0;
  const short = { size: sound, filename: text(name), info: duration ?? resolution };
  return described({ tup: "Desc", id, mime: type, payload: url }, short, [
    ["SIZE", size],
    ["FILENAME", name],
    ["DURATION", duration],
    ["RESOLUTION", resolution],
  ]);
}

/** Both forms of what is known of a file: which is written is the set's. */
function described(desc: Desc, short: Partial<Desc>, features: [key: string, value: unknown][]): Desc {
  const data = features
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([key, value]): Feature => {
      const id = `${desc.id}_${key.toLowerCase()}`;
      return { tup: "Feature", id, key, value: String(value), group: "FILE_DATA" };
    });
  return given({ ...desc, ...short, data }) as Desc;
}

function about({ data }: Desc, key: string): string | undefined {
  return data?.find((feature) => feature.key === key)?.value;
}

function pixels(resolution = ""): { width?: number; height?: number } {
  const [, width, height] = /^(\d{1,5})\D+(\d{1,5})$/.exec(resolution) ?? [];
  return width && height && Number(width) > 0 && Number(height) > 0
    ? { width: Number(width), height: Number(height) }
    : {};
}

function whole(value: unknown): number | undefined {
  const number = Number(value);
  return value !== undefined && value !== "" && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

function thousandfold(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.min(seconds * 1000, 2 ** 31);
}

function plain(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** A line of text, cut; without control characters. */
function line(value: string | undefined, characters: number): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return value?.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, " ").slice(0, characters);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Without what is absent. */
function given<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== "")) as T;
}
