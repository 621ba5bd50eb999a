// What Parley has for a device → what it hears of it.

import { AppError, type ErrorCode, isForNow } from "../../errors.ts";
import { p2pConv, parseConv } from "../../ids.ts";
import { historyGet } from "../../methods/history.ts";
import type { InvitationNotice, Message } from "../../packets/downlink.ts";
import { deviceTopic } from "../../topics.ts";
import type { Downlink, Said } from "../dialect.ts";
import { whenKnown } from "../when-known.ts";
import { pointsAt, type Worded } from "../words.ts";
import { refusal, wordOf } from "./device/answers.ts";
import { contactOf } from "./device/contacts.ts";
import { type Device, entryOf } from "./device/device.ts";
import { feedOf, feedTopic, messageId } from "./device/names.ts";
import { message as messageKind, typing } from "./records/messages.ts";
import { contact } from "./records/people.ts";
import { roomsSaid } from "./room-events.ts";
import { writeMessage } from "./written/message.ts";
import { readSaid } from "./written/reading.ts";

export function render(device: Device, packet: Downlink): Said[] | Promise<Said[]> {
  if (typeof packet.seq === "number" && typeof packet.content === "object")
    return renderMessage(device, packet as unknown as Message);
  const notice = entryOf(notices, `${packet.type}`);
  return notice ? notice(device, packet as never) : [];
}

/** Of a packet that many devices get: to those of one set and form it is written once. */
const written = new WeakMap<Message, Map<string, Said | Promise<Said>>>();

function renderMessage(device: Device, message: Message): Said[] | Promise<Said[]> {
  const isPlain = message.content.type === "text" && pointsAt(message as unknown as Worded) === undefined;
  return isPlain ? whenKnown(plainSaid(device, message), (said) => [said]) : renderSpecial(device, message);
}

async function renderSpecial(device: Device, message: Message): Promise<Said[]> {
  const { type, seq } = message.content as { type: string; seq?: unknown };
  const topic = feedTopic(feedOf(message.conv));
  const isChange = type === "edit" || type === "recall";
  // What is about a message that the device's user may not read is told in words.
  const shown = (isChange && typeof seq === "number" && (await changed(device, message, seq))) || message;
  const said = device.packet(topic, messageKind.write(await writeMessage(device, shown), device.set));
  return type === "event" ? [...(await roomsSaid(device, message)), said] : [said];
}

/** Of what is the same for whoever reads it. */
function plainSaid(device: Device, message: Message): Said | Promise<Said> {
  let forms = written.get(message);
  if (forms === undefined) {
    forms = new Map();
    written.set(message, forms);
  }
  const form = `${device.set} ${device.form}`;
  const said = forms.get(form) ?? writePlain(device, message);
  forms.set(form, said);
  return said;
}

function writePlain(device: Device, message: Message): Said | Promise<Said> {
  const topic = feedTopic(feedOf(message.conv));
  return whenKnown(writeMessage(device, message), (written) =>
    device.packet(topic, messageKind.write(written, device.set)),
  );
}

/** The message that was edited or recalled, as it is now; undefined: it cannot be read. */
async function changed(
  { parley }: Device,
  { conv, content, from }: Message,
  seq: number,
): Promise<Message | undefined> {
  const page = await parley.call(historyGet, { conv, after: seq - 1, limit: 1 }).catch(AppError.from);
  if (page instanceof AppError) {
    if (isForNow(page)) throw page;
    return undefined;
  }
  const [target] = page.messages;
  if (target?.seq !== seq) return undefined;
  // History may not show yet what was stored just now.
  if (content.type === "recall") return { ...target, recalled: target.recalled ?? { seq, by: from } };
  return target.edited ? target : { ...target, edited: { seq, content } };
}

const notices: Readonly<Record<string, (device: Device, notice: never) => Said[] | Promise<Said[]>>> = {
  typing(device, { conv, uid, state }: { conv: string; uid: string; state: string }) {
    if (state === "paused") return [];
    const feed = feedOf(conv);
    const room = feed.tup === "muc" ? feed.name : uid;
    const record = {
      tup: "Typing" as const,
      author: uid,
      room,
      phone_id: uid,
      comments: new TextEncoder().encode(state),
    };
    return [device.packet(feedTopic(feed), typing.write(record, device.set))];
  },
  presence(device, { uid, show, lastSeen }: { uid: string; show: string; lastSeen: number | null }) {
    const presence = show === "offline" ? "offline" : "online";
    const record = { tup: "Contact" as const, phone_id: uid, presence, update: lastSeen ?? undefined };
    return [device.packet(`ac/${uid}`, contact.write(record, device.set))];
  },
  // Somebody read: its Contact, with how far it has.
  receipt(device, { conv, uid, read }: { conv: string; uid: string; read: number }) {
    if (device.tree.accounts.includes(uid))
      return device.told.isReadNews(conv, read) ? readSaid(device, { conv, as: uid, read }) : [];
    if (read === 0 || parseConv(conv)?.kind !== "p2p") return [];
    const record = { tup: "Contact" as const, phone_id: uid, reader: messageId(conv, read) };
    return [device.packet(device.ses, contact.write(record, device.set))];
  },
  // Of a native packet of the device, where it is told on no native topic.
  nack(device, { code }: { code: ErrorCode }) {
    const { uid, clientId } = device.tree;
    if (device.parley.hears(deviceTopic(uid, clientId))) return [];
    return [device.packet(device.own, refusal(wordOf({ code })))];
  },
  // Who is asked before it is a member: the records have no word for that.
  invitation(device, { id, name, by }: InvitationNotice) {
    const { uid } = device.tree;
    const files = [{ tup: "Desc" as const, mime: "text", payload: `${by} invites you to the room ${name} (${id})` }];
    const [feed, msg_id] = [feedOf(p2pConv("parley", uid)), `invitation-${id}`];
    const said = { feed_id: feed, msg_id, from: "parley", to: uid, created: Date.now(), files, status: "sent" };
    return [device.packet(feedTopic(feed), messageKind.write({ tup: "Message", ...said }, device.set))];
  },
  "roster.changed"(device, { contact: changed }: { contact: Parameters<typeof contactOf>[1] }) {
    if (!device.told.isNews(changed)) return [];
    return [
      device.packet(
        device.ses,
        contact.write(contactOf(device, changed, device.told.statusOf(changed.id)), device.set),
      ),
    ];
  },
};
