// From what an application wants to send to the packet, refused here where the server would refuse it anyway.
import {
  AppError,
  checkMessage,
  convOf,
  decodeObject,
  limits,
  type MessageContent,
  parseAddress,
  refuseContent,
} from "@parley/protocol";
import type { OutgoingMessage } from "./outbox.ts";

/** A text, or content with its type. */
export type Content = string | MessageContent;

export interface SendOptions {
  /** made by the SDK when absent; a message sent again with the same id is stored once */
  id?: string;
  /** seq of the message that the thread is about, or a text, which is passed through */
  thread?: number | string;
  /** seq of the message this one answers */
  reply?: number;
  /** seconds after which it disappears */
  expires?: number;
  /** from when `expires` counts: its sending (the default), or its first reading by anybody else */
  expiresFrom?: "sent" | "read";
  [field: string]: unknown;
}

/** `prev` is still to come: its name and an id of 64 characters, each of which may be escaped. */
const prevBytes = 400;

/** Throws what the server would answer: `invalid_packet` or `too_large`. */
export function outgoing(
  uid: string,
  id: string,
  to: string,
  content: Content,
  fields: SendOptions = {},
): OutgoingMessage {
  const address = parseAddress(to);
  if (!address)
    throw new AppError("invalid_packet", `not an address: ${to} (user/{uid}, user/{uid}/client/{clientId}, room/{id})`);
  const body = typeof content === "string" ? { type: "text", data: content } : content;
  const bytes = encode({ ...fields, id, to, content: body });
  const most = limits.packetBytes - prevBytes;
  if (bytes.byteLength > most)
    throw new AppError("too_large", `the message has ${bytes.byteLength} bytes; the limit is ${most}`, {
      details: { bytes: bytes.byteLength, maxBytes: most },
    });
  const packet = readMessage(bytes);
  if (packet instanceof AppError) throw packet;
  return { id, conv: convOf(uid, address), packet };
}

/** Whether the server could read the packet: what a store has kept may be damaged, or of an older version. */
export function isSendable({ id, conv, packet }: OutgoingMessage): boolean {
  try {
    return typeof conv === "string" && packet.id === id && !(readMessage(encode(packet)) instanceof AppError);
  } catch {
    return false;
  }
}

// As the server reads it: a refusal without an id, or an endless wait for an ack, would hold up the conversation.
function readMessage(bytes: Uint8Array): OutgoingMessage["packet"] | AppError {
  const parsed = decodeObject(bytes);
  const checked = parsed instanceof AppError ? parsed : checkMessage(parsed);
  if (checked instanceof AppError) return checked;
  return refuseContent(checked) ?? (parsed as OutgoingMessage["packet"]);
}

function encode(packet: object): Uint8Array {
  try {
    return new TextEncoder().encode(JSON.stringify(packet));
  } catch (cause) {
    throw new AppError("invalid_packet", `the message cannot be written as JSON: ${cause}`, { cause });
  }
}
