// Payloads of devices: text of UTF-8, or one JSON object whose fields may be of any type.
import { decodeObject, type JsonObject } from "../../../codec.ts";
import { AppError } from "../../../errors.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** undefined: it is no text. */
export function readText(payload: Uint8Array): string | undefined {
  try {
    return utf8.decode(payload);
  } catch {
    return undefined;
  }
}

/** undefined: it is no JSON object, or none that may be held. */
export function readObject(payload: Uint8Array): JsonObject | undefined {
  const decoded = decodeObject(payload);
  return decoded instanceof AppError ? undefined : decoded;
}

/** The first of the fields that is a text, and not empty. */
export function textField(object: JsonObject, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = object[name];
    if (typeof value === "string" && value !== "") return value;
  }
  return undefined;
}
