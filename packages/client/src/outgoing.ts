// From what an application wants to send to the packet, refused here where the server would refuse it anyway.
import { AppError, convOf, limits, parseAddress } from "@parley/protocol";
import type { OutgoingMessage } from "./outbox.ts";

/** A text, or any content with its type. */
export type Content = string | { type: string; [key: string]: unknown };

export interface SendOptions {
  /** made by the SDK when absent; a message sent again with the same id is stored once */
  id?: string;
  thread?: string;
  /** seq of the message this one answers */
  reply?: number;
  /** seconds */
  expires?: number;
  [field: string]: unknown;
}

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
  const packet = { ...fields, id, to, content: body };
  const size = new TextEncoder().encode(JSON.stringify(packet)).byteLength;
  // `prev` is still to come.
  if (size > limits.packetBytes - 100)
    throw new AppError("too_large", `the message has ${size} bytes; the limit is ${limits.packetBytes}`);
  return { id, conv: convOf(uid, address), packet };
}
