// messages.forward: a message that its reader sends on. The server copies it, so that nobody says what another did not.
import {
  AppError,
  addressOf,
  type Caller,
  convOf,
  historyGet,
  limits,
  type Message,
  type MethodRequest,
  type messagesForward,
  methodSubject,
  type ParamsOf,
  parseExactly,
  type ResultOf,
  sentFile,
  uncountedTypes,
  withoutDevice,
} from "@parley/protocol";
import { type NatsConnection, readJsonAnswer, request } from "@parley/runtime";
import { askerOf, type Call } from "./call.ts";
import type { History } from "./history.ts";
import type { ApiStore } from "./store.ts";

export interface ForwardParts {
  store: ApiStore;
  history: History;
  nats: NatsConnection;
}

const timeoutMs = 10_000;

export async function forward(
  parts: ForwardParts,
  { conv, seq, to, id: given }: ParamsOf<typeof messagesForward>,
  { caller, operation }: Call,
): Promise<ResultOf<typeof messagesForward> | AppError> {
  const { uid } = caller;
  const address = addressOf(to);
  const message = await readMessage(parts.nats, caller, conv, seq);
  const isThere = message && !uncountedTypes.has(message.content.type) && message.content.type !== "erased";
  if (!isThere) return new AppError("not_found", `there is no message ${seq} to forward here`);
  const id = given ?? operation;
  const content = contentNow(message);
  const forwarded = message.forwarded ?? (await originOf(parts.store, message, uid));
  const body = Buffer.from(JSON.stringify({ id, to, content, forwarded }));
  if (body.byteLength > limits.packetBytes)
    return new AppError("too_large", `message of ${body.byteLength} bytes; the limit is ${limits.packetBytes}`, {
      details: { bytes: body.byteLength, maxBytes: limits.packetBytes },
    });
  const target = convOf(uid, address);
  const { seq: place, ts } = await parts.history.append({
    conv: target,
    from: uid,
    device: caller.clientId ?? withoutDevice,
    id,
    type: content.type,
    ...sentFile(content),
    origin: "api",
    copyOf: { conv, seq },
    body,
  });
  return { id, conv: target, seq: place, ts };
}

// As history shows it to the caller, every number as it was written.
async function readMessage(
  nats: NatsConnection,
  caller: Caller,
  conv: string,
  seq: number,
): Promise<Message | undefined> {
  const params = { conv, after: seq - 1, before: seq + 1, limit: 1 } satisfies ParamsOf<typeof historyGet>;
  const asked: MethodRequest = { caller: { ...askerOf(caller), via: "service" }, params };
  const answer = await request(nats, methodSubject(historyGet.name), JSON.stringify(asked), { timeoutMs });
  readJsonAnswer(answer);
  const { result } = parseExactly(Buffer.from(answer).toString()) as { result: ResultOf<typeof historyGet> };
  return result.messages[0];
}

// Those whom it mentions are of the other conversation.
function contentNow({ content, edited }: Message): Message["content"] {
  const { mentions: _, ...rest } = content as Message["content"] & { mentions?: unknown };
  return edited ? Object.assign(rest, { data: (edited.content as { data?: unknown }).data }) : rest;
}

// Who shows the profile to contacts only is not named to whoever gets it.
async function originOf(
  { profiles, users }: ApiStore,
  { from, ts }: Message,
  uid: string,
): Promise<NonNullable<Message["forwarded"]>> {
  if (from === uid) return { from, ts };
  const [profile, user] = await Promise.all([profiles.get(from), users.get(from)]);
  return user && profile?.doc.visibility !== "contacts" ? { from, ts } : { ts };
}
