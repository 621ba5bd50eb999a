// Channel Msg: the payload is the application's. What Parley has a word for is stored as that, and all of it beside.
import { AppError } from "../../../errors.ts";
import { parseExactly } from "../../../exact-json.ts";
import { isName } from "../../../ids.ts";
import { limits } from "../../../limits.ts";
import type { Outgoing, Parley } from "../../dialect.ts";
import { spellOut } from "../../spell-out.ts";
import { textOf, urlOf, withNick } from "../../words.ts";
import type { StoredMessage } from "../messages.ts";
import { bodyType } from "../notifications.ts";

type Content = Outgoing["content"];

/** What stands beside the content of a message of this form, where the content does not say all. */
export interface Kept {
  /** the body, JSON as it was written */
  body?: string;
  /** the body is the text, and no object that has it */
  isText?: true;
  push?: Record<string, unknown>;
}

const fileTypes: readonly unknown[] = ["image", "audio", "video", "file"];
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Beside a larger body there is no room for its words. */
const charactersBeside = 24 * 1024;

/** A payload: JSON, else text. */
export function readBody(payload: Uint8Array): { content: Content; kept: Kept } | AppError {
  let text: string;
  try {
    text = utf8.decode(payload);
  } catch {
    return new AppError("invalid_packet", "a message is JSON or text, in UTF-8");
  }
  if (text === "") return new AppError("invalid_packet", "the message is empty");
  const value = parse(text);
  if (isDeep(value)) return new AppError("invalid_packet", `nested deeper than ${limits.packetDepth} levels`);
  if (typeof value === "string" && value !== "")
    return { content: { type: "text", data: value }, kept: { isText: true } };
  if (typeof value !== "object" || value === null)
    return { content: { type: "text", data: text }, kept: { body: text } };
  const { push, ...rest } = isObject(value) ? value : {};
  if (!isObject(push)) return keep(value, text);
  const { push: _, ...exact } = parseExactly(text) as Record<string, unknown>;
  const { content, kept } = keep(rest, JSON.stringify(exact));
  return { content, kept: { ...kept, push } };
}

/** `text`: the body's JSON */
function keep(body: unknown, text: string): { content: Content; kept: Kept } {
  const content = contentOf(body);
  // What the content says is not stored twice.
  if (content !== undefined && JSON.stringify(bodyOf(content)) === JSON.stringify(body)) return { content, kept: {} };
  if (content !== undefined && text.length <= charactersBeside) return { content, kept: { body: text } };
  // For others its JSON are the words.
  return { content: { type: bodyType, data: text }, kept: {} };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; depth <= limits.packetDepth; depth++) {
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
    if (level.length === 0) return false;
  }
  return true;
}

/** Undefined: Parley has no word for it. */
function contentOf(body: unknown): Content | undefined {
  const { msg, type, file, name, mime } = isObject(body) ? body : {};
  const words = typeof msg === "string" ? msg : undefined;
  const isUrl = typeof file === "string" && file.length <= 2_048 && /^(https?:\/\/|\/)\S+$/.test(file);
  if (isUrl && (msg === undefined || words !== undefined)) {
    const said = { ...label("name", name, 255), ...label("mime", mime, 128) };
    const kind = fileTypes.includes(type) ? (type as string) : "file";
    return { type: kind, url: file, ...said, ...(words === undefined ? {} : { data: words }) };
  }
  return words === undefined || words === "" ? undefined : { type: "text", data: words };
}

function label(field: string, value: unknown, most: number): Record<string, string> {
  return typeof value === "string" && value.length <= most && isName(value) ? { [field]: value } : {};
}

/** The body of a text or a file: undefined for all else. */
function bodyOf(content: Content, url: unknown = content.url): Record<string, unknown> | undefined {
  const { type, data, name, mime } = content;
  if (type === "text") return { msg: data };
  if (!fileTypes.includes(type)) return undefined;
  const fields = { msg: typeof data === "string" ? data : undefined, type, file: url, name, mime };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The body of a message of this form, as JSON, and what it had as push; whoever wrote them. */
export function keptOf(message: StoredMessage): Pick<Kept, "body" | "push"> {
  const { asschat, content, recalled } = message as StoredMessage & { asschat?: unknown; recalled?: unknown };
  const isWhole = content.type === "text" || content.type === bodyType || fileTypes.includes(content.type);
  if (recalled !== undefined || !isWhole) return {};
  const { body, isText, push } = isObject(asschat) ? asschat : {};
  const json = content.type === bodyType ? content.data : isText === true ? JSON.stringify(content.data) : body;
  return { ...(isJson(json) ? { body: json } : {}), ...(isObject(push) ? { push } : {}) };
}

function isJson(text: unknown): text is string {
  if (typeof text !== "string") return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The body of a message that was not written in this form. */
export async function writeBody(
  message: StoredMessage,
  parley: Pick<Parley, "call" | "publicUrl">,
): Promise<Record<string, unknown>> {
  const { content, reply, ...others } = message;
  const answered = reply === undefined ? {} : { reply };
  const { type, seq, data, remove } = content;
  const said = typeof data === "string" ? data : JSON.stringify(data ?? "");
  if (type === "edit") return { msg: said, edit: seq };
  if (type === "reaction") return { msg: said, reaction: seq, ...(remove === true ? { remove } : {}) };
  if (type === "recall") return { msg: "message removed", recall: seq };
  if (type === "text") return { msg: withNick(message, textOf({ ...others, content }, parley)), ...answered };
  const url = urlOf(content, parley.publicUrl);
  const file = url === undefined ? undefined : bodyOf(content, url);
  if (file !== undefined) return { ...file, ...answered };
  return { msg: withNick(message, await spellOut({ ...others, content }, parley)), ...answered };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
