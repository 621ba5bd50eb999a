// The two packets of the chatroom: {"type":"message","from","message"} and {"type":"notice","from","notice"}, all of them texts.
import { decodeObject } from "../../codec.ts";
import { AppError } from "../../errors.ts";

export interface Spoken {
  isNotice: boolean;
  /** what its sender calls itself; undefined: it does not say */
  from: string | undefined;
  text: string;
}

/** What a device published. What is none of the two is a notice of its text; undefined: it says nothing. */
export function readPayload(payload: Uint8Array): Spoken | undefined {
  const packet = decodeObject(payload);
  if (!(packet instanceof AppError)) {
    const { type, from, message, notice } = packet;
    const named = typeof from === "string" ? from : undefined;
    if (type === "message" && message !== undefined) return { isNotice: false, from: named, text: asText(message) };
    // The page calls the type `notice` once and `info` once.
    if ((type === "notice" || type === "info") && notice !== undefined)
      return { isNotice: true, from: named, text: asText(notice) };
  }
  const text = plainText(payload);
  return text === "" ? undefined : { isNotice: true, from: undefined, text };
}

export function writePayload({ isNotice, from, text }: Spoken & { from: string }): string {
  return JSON.stringify(isNotice ? { type: "notice", from, notice: text } : { type: "message", from, message: text });
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

const decoder = new TextDecoder();

function plainText(bytes: Uint8Array): string {
  return decoder
    .decode(bytes)
    .replace(/[^\P{Cc}\n\t]/gu, "\ufffd")
    .trimEnd();
}
