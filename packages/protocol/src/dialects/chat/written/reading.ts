// How far a user has read a conversation, as its own devices are told: the last message and how many are unread.
import { AppError } from "../../../errors.ts";
import { historyGet } from "../../../methods/history.ts";
import { uncountedTypes } from "../../../packets/content.ts";
import type { Message } from "../../../packets/downlink.ts";
import type { Said } from "../../dialect.ts";
import type { Device } from "../device/device.ts";
import { feedOf, messageId } from "../device/names.ts";
import { contact } from "../records/people.ts";
import { room } from "../records/rooms.ts";
import { writeMessage } from "./message.ts";

export interface Read {
  conv: string;
  /** the account that has read */
  as: string;
  /** seq */
  read: number;
}

/** As many are counted; the protocol's programs show no more. */
const unreadMax = 100;

export async function unreadOf(
  { parley }: Device,
  { conv, as, read }: Read,
): Promise<{ unread: number; last: Message | undefined }> {
  const page = await parley.call(historyGet, { conv, after: read, limit: unreadMax }, { as });
  const isUnread = ({ from, content, recalled }: Message) =>
    from !== as && !uncountedTypes.has(content.type) && recalled === undefined;
  if (page.messages.length > 0) return { unread: page.messages.filter(isUnread).length, last: page.messages.at(-1) };
  const { messages } = await parley.call(historyGet, { conv, limit: 1 }, { as });
  return { unread: 0, last: messages[0] };
}

/** Contact or Room of the conversation with the status last_msg, on the topic of the phone's devices. */
export async function readSaid(device: Device, read: Read): Promise<Said[]> {
  const found = await unreadOf(device, read).catch(AppError.from);
  if (found instanceof AppError) return [];
  const { unread, last } = found;
  const last_msg = last && (await writeMessage(device, last));
  const feed = feedOf(read.conv);
  const reader = messageId(read.conv, read.read);
  if (feed.tup === "muc") {
    const record = { tup: "Room" as const, id: feed.name, unread, last_msg, readers: [reader], status: "last_msg" };
    return [device.packet(device.ses, room.write(record, device.set))];
  }
  const phone_id = feed.tup === "p2p" && feed.from !== read.as ? feed.from : feed.tup === "p2p" ? feed.to : undefined;
  const record = { tup: "Contact" as const, phone_id, unread, last_msg, reader, status: "last_msg" };
  return [device.packet(device.ses, contact.write(record, device.set))];
}
