// Channel Msg: the payload is the application's. What Parley has a word for is stored as that, and all of it beside.
import { checkTree } from "../../../codec.ts";
import { AppError } from "../../../errors.ts";
import { isName } from "../../../ids.ts";
import type { Outgoing, Parley } from "../../dialect.ts";
import { spellOut } from "../../spell-out.ts";
import { textOf, urlOf, withNick } from "../../words.ts";
import type { StoredMessage } from "../messages.ts";
import { bodyType } from "../notifications.ts";

type Content = Outgoing["content"];

/** What stands beside the content of a message of this form. */
export interface Kept {
  /** where the content does not say all of it */
  body?: unknown;
  push?: Record<string, unknown>;
}

const fileTypes: readonly unknown[] = ["image", "audio", "video", "file"];
const utf8 = new TextDecoder("utf-8", { fatal: true });

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
  const refused = typeof value === "object" && value !== null ? checkTree(value) : undefined;
  if (refused) return refused;
  const { push, ...rest } = isObject(value) ? value : {};
  const body = isObject(push) ? rest : value;
  const content = contentOf(body);
  // What the content says is not stored twice.
  const isSaid = JSON.stringify(bodyOf(content)) === JSON.stringify(body);
  return { content, kept: { ...(isSaid ? {} : { body }), ...(isObject(push) ? { push } : {}) } };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function contentOf(body: unknown): Content {
  if (typeof body === "string" && body !== "") return { type: "text", data: body };
  const { msg, type, file, name, mime } = isObject(body) ? body : {};
  const words = typeof msg === "string" ? msg : undefined;
  const isUrl = typeof file === "string" && file.length <= 2_048 && /^(https?:\/\/|\/)\S+$/.test(file);
  if (isUrl && (msg === undefined || words !== undefined)) {
    const said = { ...label("name", name, 255), ...label("mime", mime, 128) };
    const kind = fileTypes.includes(type) ? (type as string) : "file";
    return { type: kind, url: file, ...said, ...(words === undefined ? {} : { data: words }) };
  }
  if (words !== undefined && words !== "") return { type: "text", data: words };
  // For others its JSON are the words.
  return { type: bodyType, data: JSON.stringify(body) };
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

/** What stands beside a stored message, whoever wrote it. */
export function keptOf(message: StoredMessage): Kept {
  const { asschat, content, recalled } = message as StoredMessage & { asschat?: unknown; recalled?: unknown };
  const isWhole = content.type === "text" || content.type === bodyType || fileTypes.includes(content.type);
  if (recalled !== undefined || !isWhole || !isObject(asschat)) return {};
  const { body, push } = asschat;
  return { ...(body === undefined ? {} : { body }), ...(isObject(push) ? { push } : {}) };
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
