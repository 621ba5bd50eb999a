// A generated document as plain JSON, with the schemas that many places use named once.
import type { TSchema } from "typebox";
import { ClientId, Conv, idFormats, RoomId, Uid } from "../ids.ts";
import {
  AckPacket,
  AnswerPacket,
  Contact,
  Message,
  NackPacket,
  PresenceNotice,
  ReceiptNotice,
  RosterNotice,
  TooLargeNotice,
  TypingNotice,
} from "../packets/downlink.ts";
import {
  MessagePacket,
  ReceiptPacket,
  RequestPacket,
  StatePacket,
  SubscriptionPacket,
  TypingPacket,
} from "../packets/uplink.ts";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonDocument = { [key: string]: Json };

/** Of both documents. */
export const documentVersion = "0.1.0";

const named: Record<string, TSchema> = {
  Uid,
  ClientId,
  RoomId,
  Conv,
  Message,
  AckPacket,
  AnswerPacket,
  NackPacket,
  PresenceNotice,
  ReceiptNotice,
  Contact,
  RosterNotice,
  TooLargeNotice,
  TypingNotice,
  MessagePacket,
  ReceiptPacket,
  RequestPacket,
  StatePacket,
  SubscriptionPacket,
  TypingPacket,
};
const nameOf = new Map<object, string>(Object.entries(named).map(([name, schema]) => [schema, name]));

/** A schema as JSON; the named ones inside it as references. */
export function schemaJson(schema: TSchema): Json {
  return toJson(schema, true);
}

/** The named schemas themselves, those that `document` refers to and those that they refer to. */
export function namedSchemas(document: Json): JsonDocument {
  const found = new Map<string, Json>();
  let text = JSON.stringify(document);
  for (let before = -1; before < found.size; text = JSON.stringify([...found.values()])) {
    before = found.size;
    for (const [, name = ""] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      const schema = named[name];
      if (schema && !found.has(name)) found.set(name, toJson(schema, false));
    }
  }
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function toJson(value: unknown, mayRefer: boolean): Json {
  if (Array.isArray(value)) return value.map((one) => toJson(one, true));
  if (typeof value !== "object" || value === null) return value as Json;
  const name = mayRefer ? nameOf.get(value) : undefined;
  if (name !== undefined) return { $ref: `#/components/schemas/${name}` };
  const json = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, toJson(one, true)]));
  // A format of ours says nothing to others; its pattern does.
  const format = "format" in value ? idFormats[String(value.format)] : undefined;
  return format ? { ...json, pattern: format.pattern } : json;
}
