// History/…, Cursor/: messages of a feed, and how far it is read.
import { AppError } from "../../../errors.ts";
import { historyGet } from "../../../methods/history.ts";
import type { ParamsOf } from "../../../methods/method.ts";
import { messagesDelete } from "../../../methods/own.ts";
import { conversationsMark } from "../../../methods/receipts.ts";
import type { Message } from "../../../packets/downlink.ts";
import { tuple } from "../device/answers.ts";
import { accountOf, type Call, entryOf } from "../device/device.ts";
import { convOfFeed, messageId, seqOf } from "../device/names.ts";
import { type ChatMessage, type cursor, feed, history } from "../records/messages.ts";
import type { RecordOf } from "../records/record.ts";
import { writeMessage } from "../written/message.ts";
import { readSaid, unreadOf } from "../written/reading.ts";

type History = RecordOf<typeof history>;

interface Asked {
  record: History;
  conv: string;
  /** the account that asks */
  as: string;
}

export async function takeHistory(call: Call, record: History): Promise<void> {
  const { device } = call;
  const { status = "get" } = record;
  const as = accountOf(device, record.roster_id);
  if (!as) return device.refuse(new AppError("forbidden"));
  // What is sent later is kept otherwise.
  if (record.feed?.tup === "act") return device.answer(history.write({ ...record, data: [] }, device.set));
  const conv = convOfFeed(record.feed);
  const work = entryOf<Work>(works, status);
  if (conv === undefined || !work) return device.refuse(new AppError("invalid_packet"));
  const done = await work(call, { record, conv, as: as.uid }).catch(AppError.from);
  if (done instanceof AppError) await device.refuse(done);
}

type Work = (call: Call, asked: Asked) => Promise<void>;

const works = { get, double_get: around, update: mark, delete: clear } as const;

const pageDefault = 20;
const pageMax = 500;

async function get(call: Call, asked: Asked): Promise<void> {
  const { size = 0, entity_id: id = 0 } = asked.record;
  const limit = Math.min(Math.abs(size) || pageDefault, pageMax);
  const seq = seqOf(id);
  // From the newest where no message is named; of two directions a positive size is the later one.
  const from = seq === 0 ? {} : size < 0 ? { before: seq + 1 } : { after: seq - 1 };
  await answer(call, asked, { conv: asked.conv, limit, ...from });
}

async function around(call: Call, asked: Asked): Promise<void> {
  const { size = 0, entity_id: id = 0 } = asked.record;
  const limit = Math.min(Math.abs(size) || pageDefault, pageMax);
  await answer(call, asked, { conv: asked.conv, limit, around: Math.max(1, seqOf(id)) });
}

async function answer(
  { device }: Call,
  { record, conv, as }: Asked,
  params: ParamsOf<typeof historyGet>,
): Promise<void> {
  const { messages } = await device.parley.call(historyGet, params, { as });
  // What changed a message is told with it.
  const shown = messages.filter(({ content }) => content.type !== "edit" && content.type !== "recall");
  const data = await Promise.all(shown.map((message) => writeMessage(device, message)));
  const size = device.set === "late" ? record.size : placeReached(conv, messages, record.size ?? 0);
  for (const part of inParts(data, (one) => bytesOf(one)))
    await device.answer(history.write({ ...record, size, data: part }, device.set));
}

/** The older set is told where to go on, in the direction that it asked for. */
function placeReached(conv: string, messages: readonly Message[], size: number): number {
  const last = size < 0 ? messages[0] : messages.at(-1);
  return last === undefined ? 0 : messageId(conv, last.seq);
}

const partBytes = 48 * 1024;

function bytesOf({ files = [] }: ChatMessage): number {
  return 400 + JSON.stringify(files).length;
}

/** At least one part, also of nothing. */
export function inParts<T>(all: readonly T[], bytes: (one: T) => number): T[][] {
  const parts: T[][] = [[]];
  let size = 0;
  for (const one of all) {
    const more = bytes(one);
    if (size > 0 && size + more > partBytes) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)?.push(one);
    size += more;
  }
  return parts;
}

/** Without a message all is read. */
async function mark({ device }: Call, { record, conv, as }: Asked): Promise<void> {
  const read = await markRead(device, { conv, as, seq: seqOf(record.entity_id ?? 0) });
  for (const said of await readSaid(device, { conv, as, read })) await device.parley.say(said);
}

async function markRead(device: Call["device"], { conv, as, seq }: { conv: string; as: string; seq: number }) {
  return device.told.marking(conv, async () => {
    const upTo = seq > 0 ? seq : (await device.parley.call(historyGet, { conv, limit: 1 }, { as })).lastSeq;
    return (await device.parley.call(conversationsMark, { conv, read: upTo }, { as })).read;
  });
}

async function clear({ device }: Call, { record, conv, as }: Asked): Promise<void> {
  const { lastSeq } = await device.parley.call(historyGet, { conv, limit: 1 }, { as });
  if (lastSeq > 0) await device.parley.call(messagesDelete, { conv, upTo: lastSeq }, { as });
  await device.answer(history.write({ ...record, data: [] }, device.set));
}

/** `{'Cursor', Feed, Side, Position}` → `{ok2, Feed, Count}`, of clients before `History/update`. */
export async function takeCursor({ device }: Call, record: RecordOf<typeof cursor>): Promise<void> {
  const conv = convOfFeed(record.feed);
  const as = device.tree.uid;
  if (conv === undefined) return device.refuse(new AppError("invalid_packet"));
  try {
    const read = await markRead(device, { conv, as, seq: seqOf(record.position ?? 0) });
    const { unread } = await unreadOf(device, { conv, as, read });
    await device.answer(tuple("ok2", feed.write(record.feed, device.set), unread));
  } catch (error) {
    await device.refuse(AppError.from(error));
  }
}
