// messages.send: a message that no MQTT packet carried, appended with its origin.
import {
  AppError,
  attachmentOf,
  checkMessage,
  checkTree,
  convOf,
  type JsonObject,
  limits,
  messagesForward,
  messagesSend,
  type ParamsOf,
  parseAddress,
  type ResultOf,
  readMentions,
  refuseContent,
  storableBody,
} from "@parley/protocol";
import { type Bound, bind, type Call } from "./call.ts";
import { type ForwardParts, forward } from "./forward.ts";
import type { History } from "./history.ts";
import { holderMethods } from "./holder-methods.ts";
import { knownUser } from "./known-users.ts";
import type { ApiStore } from "./store.ts";

export function messageMethods(parts: ForwardParts): Bound[] {
  return [
    bind(messagesSend, (params, call) => send(parts, params, call)),
    bind(messagesForward, (params, call) => forward(parts, params, call)),
    ...holderMethods(parts.history),
  ];
}

async function send(
  { store, history }: { store: ApiStore; history: History },
  params: ParamsOf<typeof messagesSend>,
  { caller, operation, raw }: Call,
): Promise<ResultOf<typeof messagesSend> | AppError> {
  const from = await senderOf(store, params.from, caller);
  if (from instanceof AppError) return from;
  const { from: _named, ...fields } = params as JsonObject;
  const packet = { ...fields, id: params.id ?? operation };
  const body = storableBody(raw ?? Buffer.from(JSON.stringify(params)), params as JsonObject, packet.id);
  if (body.byteLength > limits.packetBytes)
    return new AppError("too_large", `message of ${body.byteLength} bytes; the limit is ${limits.packetBytes}`);
  const message = checkTree(packet) ?? checkMessage(packet);
  if (message instanceof AppError) return message;
  const refused = refuseContent(message);
  if (refused) return refused;
  const address = parseAddress(message.to);
  if (!address)
    return new AppError("invalid_packet", "to is none of user/{uid}, user/{uid}/client/{clientId}, room/{id}");
  const conv = convOf(from, address);
  const mentions = readMentions(message.content);
  const file = attachmentOf(message.content);
  const { seq, ts } = await history.append({
    conv,
    from,
    device: caller.clientId ?? "api",
    id: packet.id,
    type: message.content.type,
    ...(message.prev === undefined ? {} : { prev: message.prev }),
    ...(mentions && { mentions }),
    ...(message.reply === undefined ? {} : { reply: message.reply }),
    ...(file === undefined ? {} : { file }),
    origin: caller.via === "key" ? "key" : "api",
    body,
  });
  return { id: packet.id, conv, seq, ts };
}

// A user sends as itself; an application as whom it names.
async function senderOf(
  store: ApiStore,
  named: string | undefined,
  caller: Call["caller"],
): Promise<string | AppError> {
  if (caller.via !== "key")
    return named === undefined || named === caller.uid
      ? caller.uid
      : new AppError("forbidden", "from is not the caller");
  if (named === undefined) return new AppError("invalid_packet", "from is missing: a server key sends as a user");
  return (await knownUser(store, named)) ? named : new AppError("not_found", `there is no user ${named}`);
}
