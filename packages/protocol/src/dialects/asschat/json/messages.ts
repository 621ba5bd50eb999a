// Channel Msg: a body that a device publishes, and the wrapper that devices are sent.
import { AppError } from "../../../errors.ts";
import { namedMembers, parseConv } from "../../../ids.ts";
import { roomsMembers } from "../../../methods/members.ts";
import type { Outgoing, Published, Said } from "../../dialect.ts";
import type { Device } from "../device.ts";
import { type StoredMessage, waysOf } from "../messages.ts";
import { sendInChannel } from "../send.ts";
import { writeRefusal } from "./answers.ts";
import { type Kept, keptOf, readBody, writeBody } from "./bodies.ts";
import { chIdOf, readChId, writeSender } from "./ids.ts";
import { type Mentioned, needsMembers, readExpression, writeExpression, writeMentions } from "./mentions.ts";
import { channelTopic } from "./topics.ts";

export const messageType = "ch_msg";

export interface ReadMessage {
  content: Outgoing["content"];
  kept: Kept;
  mentioned: Mentioned | undefined;
}

export function readMessage({ payload }: Published): ReadMessage | AppError {
  const read = readBody(payload);
  if (read instanceof AppError) return read;
  const expression = read.kept.push?.["@"];
  if (expression === undefined) return { ...read, mentioned: undefined };
  if (typeof expression !== "string") return new AppError("invalid_packet", "push.@ is an expression, as a text");
  try {
    return { ...read, mentioned: readExpression(expression) };
  } catch (error) {
    return AppError.from(error);
  }
}

/** Has the channel's users to be read before it can be stored? */
export function waitsForMembers(read: ReadMessage | AppError): boolean {
  return !(read instanceof AppError) && read.mentioned !== undefined && needsMembers(read.mentioned);
}

interface ToSend {
  read: ReadMessage | AppError;
  packet: Published;
  /** commands that are not done yet; the message comes behind them */
  behind: Promise<void> | undefined;
}

/** Only a refusal is answered: the form has no ack of a message. */
export async function takeMessage(device: Device, chId: string, { read, packet, behind }: ToSend): Promise<void> {
  const chid = read instanceof AppError ? read : readChId(chId, device.channels);
  const outcome =
    read instanceof AppError || chid instanceof AppError ? chid : await store(device, chid, { read, packet, behind });
  if (!(outcome instanceof AppError)) return;
  await device.parley.say(writeRefusal(device.tree.clientId, { type: messageType, ch_id: chId }, outcome));
}

async function store(
  device: Device,
  chid: string,
  { read, packet, behind }: ToSend & { read: ReadMessage },
): Promise<AppError | undefined> {
  const { content, kept, mentioned } = read;
  // No await where none is needed: messages are stored in the order of the calls.
  const found = mentioned && needsMembers(mentioned) ? await membersOf(device, chid) : [];
  const mentions = mentioned ? mentionsOf(mentioned, found) : [];
  if (mentions instanceof AppError) return mentions;
  const outgoing = {
    content: mentions.length === 0 ? content : { ...content, mentions },
    ...(Object.keys(kept).length === 0 ? {} : { asschat: kept }),
  };
  const stored = await sendInChannel(device, chid, { read: outgoing, packet, behind });
  return stored instanceof AppError ? stored : undefined;
}

function mentionsOf(mentioned: Mentioned, members: readonly string[] | AppError): string[] | AppError {
  if (members instanceof AppError) return members;
  try {
    return writeMentions(mentioned, members);
  } catch (error) {
    return AppError.from(error);
  }
}

/** All but the device's own user. */
async function membersOf({ channels, parley, tree }: Device, chid: string): Promise<string[] | AppError> {
  try {
    const conv = await channels.find(chid);
    const parsed = conv === undefined ? undefined : parseConv(conv);
    if (parsed === undefined) return new AppError("not_found", `there is no channel ${chid}`);
    const uids =
      parsed.kind === "room"
        ? (await parley.call(roomsMembers, { id: parsed.roomId })).members.map(({ uid }) => uid)
        : (namedMembers(parsed) ?? []);
    return uids.filter((uid) => uid !== tree.uid);
  } catch (error) {
    return AppError.from(error);
  }
}

/** As devices of this form are sent it. */
export async function writeMessage({ channels, parley }: Device, message: StoredMessage): Promise<Said> {
  const { conv, seq, ts, content } = message;
  const kept = keptOf(message);
  const expression = writeExpression(content.mentions);
  const push = kept.push ?? (expression === undefined ? undefined : { "@": expression });
  const body = kept.body ?? JSON.stringify(await writeBody(message, parley));
  const head = JSON.stringify({ msg_id: seq, type: messageType }).slice(1, -1);
  const ways = waysOf(message).map(({ id }) => id);
  const via = ways.length === 0 ? undefined : ways;
  const rest = JSON.stringify({ push, from: writeSender(message), timestamp: ts, via }).slice(1);
  return { topic: channelTopic(chIdOf(conv, channels)), payload: `{${head},"body":${body},${rest}` };
}
