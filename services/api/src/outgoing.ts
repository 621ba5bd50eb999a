// What a user wants to send, as it is appended: read once for every door of api.
import {
  AppError,
  type AppendItem,
  addressOf,
  checkMessage,
  checkTree,
  convOf,
  type JsonObject,
  limits,
  readExpiry,
  readMentions,
  refuseContent,
  sentFile,
  storableBody,
} from "@parley/protocol";

/** The message, or why nobody could store it. `raw` are the bytes of it, `sent` what was read from them. */
export function readOutgoing(
  from: string,
  packet: JsonObject & { id: string },
  raw: Uint8Array,
  sent: JsonObject = packet,
): Omit<AppendItem, "device" | "origin"> | AppError {
  const body = storableBody(raw, sent, packet.id);
  if (body.byteLength > limits.packetBytes)
    return new AppError("too_large", `message of ${body.byteLength} bytes; the limit is ${limits.packetBytes}`, {
      details: { bytes: body.byteLength, maxBytes: limits.packetBytes },
    });
  const message = checkTree(packet) ?? checkMessage(packet);
  if (message instanceof AppError) return message;
  const refused = refuseContent(message);
  if (refused) return refused;
  const address = addressOf(message.to);
  const mentions = readMentions(message.content);
  const expires = readExpiry(message);
  return {
    conv: convOf(from, address),
    from,
    id: packet.id,
    type: message.content.type,
    ...(message.prev === undefined ? {} : { prev: message.prev }),
    ...(mentions && { mentions }),
    ...(typeof message.thread === "number" && { thread: message.thread }),
    ...(message.reply === undefined ? {} : { reply: message.reply }),
    ...sentFile(message.content),
    ...(expires && { expires }),
    body,
  };
}
