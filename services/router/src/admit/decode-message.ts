// Step 2 of a message: bytes and sender → what may be stored.
import { randomUUID } from "node:crypto";
import {
  AppError,
  addressOf,
  checkMessage,
  convOf,
  type DecodeLimits,
  decodeObject,
  type Expiry,
  type JsonObject,
  limits,
  type Mentions,
  readExpiry,
  readMentions,
  refuseContent,
  sentFile,
  storableBody,
  type UplinkTopic,
} from "@parley/protocol";
import { type Decoded, nameOf, nameOfUnread } from "./decode.ts";

/** A message as far as its sender decides it. */
export interface SentMessage {
  id: string;
  conv: string;
  /** content.type */
  type: string;
  prev: string | undefined;
  mentions: Mentions | undefined;
  /** seq of the message whose thread it is in */
  thread: number | undefined;
  /** seq of the message it answers */
  reply: number | undefined;
  /** the attachment that its content refers to */
  file: ReturnType<typeof sentFile>;
  expires: Expiry | undefined;
  /** as it will be stored */
  body: Uint8Array;
  /** what the body says, where it is stored as it came */
  parsed: JsonObject | undefined;
}

export type DecodeMessage = (payload: Uint8Array, from: Pick<UplinkTopic, "uid">) => Decoded<SentMessage>;

/** Packets up to `packetBytes`. */
export function createDecodeMessage(packetBytes: number): DecodeMessage {
  const limit: DecodeLimits = { bytes: packetBytes, depth: limits.packetDepth, nodes: limits.packetNodes };
  return (payload, { uid }) => {
    const parsed = decodeObject(payload, limit);
    if (parsed instanceof AppError) return { name: nameOfUnread(payload), error: parsed };
    const name = nameOf(parsed);
    const message = checkMessage(parsed);
    if (message instanceof AppError) return { name, error: message };
    const error = refuseContent(message);
    if (error) return { name, error };
    const address = addressOf(message.to);
    const id = message.id ?? randomUUID();
    const body = storableBody(payload, parsed, id);
    const packet = {
      id,
      conv: convOf(uid, address),
      type: message.content.type,
      prev: message.prev,
      mentions: readMentions(message.content),
      thread: typeof message.thread === "number" ? message.thread : undefined,
      reply: message.reply,
      file: sentFile(message.content),
      expires: readExpiry(message),
      body,
      parsed: body === payload ? parsed : undefined,
    };
    return { name: id, packet };
  };
}
