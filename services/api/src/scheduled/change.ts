// messages.schedule, reschedule and unschedule: decided by one write of the message's document, so that none of them can
// pass a sending that has begun.
import {
  AppError,
  limits,
  type messagesReschedule,
  type messagesSchedule,
  type messagesUnschedule,
  type ParamsOf,
  parseExactly,
  type ResultOf,
  type Scheduled,
  withoutDevice,
} from "@parley/protocol";
import type { Call } from "../call.ts";
import { readOutgoing } from "../outgoing.ts";
import type { ScheduledDoc } from "../store.ts";
import type { ScheduledParts } from "./parts.ts";
import { noticeOf, rowOf, scheduledKey } from "./row.ts";

type Message = ParamsOf<typeof messagesSchedule>["message"];

const dayMs = 24 * 3_600_000;
const roundsMax = 20;

export async function schedule(
  parts: ScheduledParts,
  { at, message }: ParamsOf<typeof messagesSchedule>,
  { caller, operation, raw }: Call,
): Promise<Scheduled | AppError> {
  const id = message.id ?? operation;
  const sender = { uid: caller.uid, device: caller.clientId ?? withoutDevice };
  const doc = await read(parts, { ...sender, id, at, message, raw });
  if (doc instanceof AppError) return doc;
  const { scheduled } = parts.store;
  const key = scheduledKey(caller.uid, id);
  if (!(await scheduled.get(key)) && (await isFull(parts, caller.uid)))
    return new AppError("conflict", `you have ${limits.scheduled} scheduled messages, the most there may be`);
  if (!(await scheduled.insert(key, doc))) {
    const known = (await scheduled.get(key))?.doc;
    const isSame = known?.body === doc.body && known.at === at && known.conv === doc.conv;
    return isSame ? rowOf(known) : new AppError("conflict", "another message was scheduled with this id");
  }
  parts.pass("before-schedule-reply");
  parts.tell(caller.uid, noticeOf(doc, "waiting"));
  return rowOf(doc);
}

export async function reschedule(
  parts: ScheduledParts,
  { id, at, message }: ParamsOf<typeof messagesReschedule>,
  { caller, raw }: Call,
): Promise<Scheduled | AppError> {
  if (at === undefined && message === undefined) return new AppError("invalid_packet", "give at, message or both");
  const { scheduled } = parts.store;
  const key = scheduledKey(caller.uid, id);
  for (let round = 0; round < roundsMax; round++) {
    const known = await scheduled.get(key);
    if (!known) return notThere(id);
    const { uid, device, sendingSince } = known.doc;
    if (sendingSince !== undefined) return beingSent();
    const kept = parseExactly(known.doc.body) as Message;
    const change = { at: at ?? known.doc.at, message: message ?? kept, raw: message && raw };
    const doc = await read(parts, { uid, device, id, ...change });
    if (doc instanceof AppError) return doc;
    if (!(await scheduled.update(key, doc, known.version))) continue;
    parts.tell(uid, noticeOf(doc, "waiting"));
    return rowOf(doc);
  }
  return changing();
}

export async function unschedule(
  { store: { scheduled }, tell }: ScheduledParts,
  id: string,
  uid: string,
): Promise<ResultOf<typeof messagesUnschedule> | AppError> {
  const key = scheduledKey(uid, id);
  for (let round = 0; round < roundsMax; round++) {
    const known = await scheduled.get(key);
    if (!known) return notThere(id);
    if (known.doc.sendingSince !== undefined) return beingSent();
    if (!(await scheduled.remove(key, known.version))) continue;
    tell(uid, noticeOf(known.doc, "unscheduled"));
    return { id };
  }
  return changing();
}

interface Asked {
  uid: string;
  device: string;
  id: string;
  at: number;
  message: Message;
  /** the request's body, if it came so: numbers in its `message` are exact */
  raw: Uint8Array | undefined;
}

// What would be refused now, and still then, is refused at once.
async function read({ history }: ScheduledParts, asked: Asked): Promise<ScheduledDoc | AppError> {
  const { uid, device, id, at, message, raw } = asked;
  const now = Date.now();
  if (at <= now || at > now + limits.scheduledDays * dayMs)
    return new AppError("invalid_packet", `at is no time between now and ${limits.scheduledDays} days from now`);
  if ((message.id ?? id) !== id) return new AppError("invalid_packet", "message.id is another message's");
  if ("prev" in message) return new AppError("invalid_packet", "unknown field message.prev");
  const text = JSON.stringify(raw ? (parseExactly(Buffer.from(raw).toString()) as Asked).message : message);
  const sent = JSON.parse(text) as Message;
  const item = readOutgoing(uid, { ...sent, id }, Buffer.from(text), sent);
  if (item instanceof AppError) return item;
  try {
    const answer = await history.append({ ...item, device, origin: "api", trial: true });
    if (answer.duplicate) return new AppError("conflict", "a message with this id was sent");
  } catch (error) {
    const { retryAfterMs = Number.POSITIVE_INFINITY } = (error as AppError).details ?? {};
    if (now + Number(retryAfterMs) > at) throw error;
  }
  const { conv, file, body } = item;
  const kept = { uid, device, id, conv, body: Buffer.from(body).toString(), at, dueAt: at };
  return file === undefined ? kept : { ...kept, file };
}

async function isFull({ store: { scheduled } }: ScheduledParts, uid: string): Promise<boolean> {
  const { items } = await scheduled.find({ index: "of_user", equals: [uid], limit: limits.scheduled });
  return items.length >= limits.scheduled;
}

function notThere(id: string): AppError {
  return new AppError("not_found", `no message ${id} is scheduled`);
}

function beingSent(): AppError {
  return new AppError("conflict", "the message is being sent");
}

function changing(): AppError {
  return new AppError("unavailable", "the message changed again and again meanwhile");
}
