// messages.send: a message that no MQTT packet carried, appended with its origin.
import {
  AppError,
  type JsonObject,
  messagesForward,
  messagesSend,
  noUser,
  type ParamsOf,
  type ResultOf,
  withoutDevice,
} from "@parley/protocol";
import { type Bound, bind, type Call } from "./call.ts";
import { type ForwardParts, forward } from "./forward.ts";
import type { History } from "./history.ts";
import { holderMethods } from "./holder-methods.ts";
import { knownUser } from "./known-users.ts";
import { readOutgoing } from "./outgoing.ts";
import type { ApiStore } from "./store.ts";

export function messageMethods(parts: ForwardParts): Bound[] {
  return [
    bind(messagesSend, (params, call) => send(parts, params, call)),
    bind(messagesForward, (params, call) => forward(parts, params, call)),
    ...holderMethods(parts),
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
  const id = params.id ?? operation;
  const item = readOutgoing(from, { ...fields, id }, raw ?? Buffer.from(JSON.stringify(params)), params);
  if (item instanceof AppError) return item;
  const origin = caller.via === "key" ? "key" : "api";
  const { seq, ts } = await history.append({ ...item, device: caller.clientId ?? withoutDevice, origin });
  return { id, conv: item.conv, seq, ts };
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
  return (await knownUser(store, named)) ? named : noUser(named);
}
