// Message/…: new ones, uploads, edits, removals.

import { AppError } from "../../../errors.ts";
import { parseAddress } from "../../../ids.ts";
import { historyGet } from "../../../methods/history.ts";
import { messagesDelete } from "../../../methods/own.ts";
import type { Outgoing, Stored } from "../../dialect.ts";
import { type Account, accountOf, type Call, type Device, entryOf } from "../device/device.ts";
import { convOfFeed, feedOf, feedTopic, isIdOf, messageId, packetIdOf, seqOf } from "../device/names.ts";
import { ack, type ChatMessage, type Desc, message as messageKind } from "../records/messages.ts";
import { type Content, contentsOf } from "../written/content.ts";
import { writeMessage } from "../written/message.ts";

/** A message, and the conversation of one of the device's accounts that it is for. */
interface Meant {
  message: ChatMessage;
  conv: string;
  to: string;
  as: Account;
}

export async function takeMessage(call: Call, message: ChatMessage): Promise<void> {
  const { device } = call;
  const meant = readMeant(call, message);
  if (meant instanceof AppError) return device.refuse(meant);
  const { status = "client" } = message;
  const act = entryOf<typeof send>(about, status) ?? send;
  const done = await act(call, meant);
  if (done instanceof AppError) return device.refuse(done);
  if (device.set === "late" && message.msg_id !== undefined && status !== "update")
    await device.answer(ack.write({ tup: "Ack", id: message.msg_id }, device.set));
}

function readMeant({ device }: Call, message: ChatMessage): Meant | AppError {
  const { feed_id: feed, from } = message;
  const as = accountOf(device, from);
  if (!as) return new AppError("forbidden", "from is no account of this phone");
  const conv = convOfFeed(feed) ?? convOfFeed(feedOfTo(as, message.to));
  if (conv === undefined) return new AppError("invalid_packet", "feed_id is {p2p, A, B} or {muc, Room}");
  const [kind, one = "", other = ""] = conv.split("/");
  if (kind !== "p2p") return { message, conv, to: conv, as };
  if (one !== as.uid && other !== as.uid) return new AppError("forbidden", "the feed is of two others");
  return { message, conv, to: `user/${one === as.uid ? other : one}`, as };
}

function feedOfTo({ uid }: Account, to: string | undefined): ChatMessage["feed_id"] {
  return to === undefined ? undefined : { tup: "p2p", from: uid, to };
}

type Done = Promise<AppError | undefined>;

/** By the status that says what is asked; every other one is that of a new message. */
const about = {
  upload: askForFile,
  edit,
  update: edit,
  delete: remove,
  deleted: remove,
} satisfies Record<string, (call: Call, meant: Meant) => Done>;

/** No await before the messages are in line. */
async function send({ device, packet }: Call, { message, to, as }: Meant): Done {
  const { files = [], type = [], msg_id } = message;
  const contents = contentsOf(files);
  if (contents.length === 0) return new AppError("invalid_packet", "files say nothing");
  if (!parseAddress(to)) return new AppError("invalid_packet", "to is no phone_id or room");
  const about = message.link ?? message.edit_msg;
  const reply = type.includes("reply") && about !== undefined ? seqOf(about) : 0;
  const outgoing = contents.map((content, at): Outgoing => {
    const id = msg_id === undefined ? undefined : packetIdOf(at === 0 ? msg_id : `${msg_id}+${at}`);
    const chat = keptOf(message, content, { isOnly: contents.length === 1, isFirst: at === 0 });
    return { ...(id === undefined ? {} : { id }), to, content, ...(reply > 0 ? { reply } : {}), chat };
  });
  const sent = await Promise.all(outgoing.map((one) => device.parley.send(one, { as: as.uid, packet })));
  const refused = sent.find((one) => one instanceof AppError);
  if (!refused && msg_id !== undefined) await answerAgain(device, msg_id, sent as Stored[], as);
  return refused;
}

/**
 * Its own Message is all that a client of the older set has for an ack, and it is told once. Who sends it again has not got it: a broker
 * that was killed may have forgotten it.
 */
async function answerAgain(device: Device, msgId: string, sent: readonly Stored[], { uid }: Account): Promise<void> {
  if (!device.isAgain(msgId) || device.set === "late") return;
  for (const { conv, seq } of sent.filter((one) => device.parley.wasTold(one.conv, one.seq))) {
    const page = await device.parley
      .call(historyGet, { conv, after: seq - 1, limit: 1 }, { as: uid })
      .catch(AppError.from);
    const stored = page instanceof AppError ? undefined : page.messages.find((one) => one.seq === seq);
    if (stored)
      await device.say(feedTopic(feedOf(conv)), messageKind.write(await writeMessage(device, stored), device.set));
  }
}

function keptOf(message: ChatMessage, { type }: Content, { isOnly, isFirst }: { isOnly: boolean; isFirst: boolean }) {
  const { msg_id, created, files = [] } = message;
  const isPlain = type === "text" && files.length === 1;
  return {
    ...(isFirst && msg_id !== undefined ? { msgId: msg_id } : {}),
    ...(created === undefined ? {} : { created }),
    ...(isPlain && files[0]?.id !== undefined ? { desc: files[0].id } : {}),
    ...(isOnly && !isPlain ? { files: files.map(withoutTag) } : {}),
  };
}

function withoutTag({ tup: _, ...desc }: Desc) {
  return { ...desc, ...(desc.data ? { data: desc.data.map(({ tup: _tag, ...feature }) => feature) } : {}) };
}

/** The client loads its file up, and says `complete`: the message as a new one. */
async function askForFile({ device }: Call, { message, conv }: Meant): Done {
  const { feed_id, from, to } = message;
  if (feed_id === undefined) return new AppError("invalid_packet", "an upload has a feed_id");
  const link = { ...message, id: messageId(conv, 0), from: to, to: from, status: "link" };
  await device.say(feedTopic(feed_id), messageKind.write(link, device.set));
  return undefined;
}

/** Nothing left, or seen by nobody: removed for all. */
async function edit(call: Call, meant: Meant): Done {
  const { message, conv, to, as } = meant;
  const seq = placeOf(conv, message.id);
  if (seq instanceof AppError) return seq;
  const [content] = contentsOf(message.files ?? []);
  const isRemoved = content === undefined || message.seenby?.includes(-1);
  if (isRemoved && message.status !== "edit") return new AppError("invalid_packet", "files say nothing");
  const data = content?.data ?? "";
  const change: Content = isRemoved ? { type: "recall", seq } : { type: "edit", seq, data };
  const { parley } = call.device;
  const done = await parley.send({ to, content: change }, { as: as.uid, packet: call.packet });
  return done instanceof AppError ? done : undefined;
}

/** `seenby` names who is not to see it: oneself alone, else all. */
async function remove(call: Call, meant: Meant): Done {
  const { message, conv, to, as } = meant;
  const seq = placeOf(conv, message.id);
  if (seq instanceof AppError) return seq;
  const { parley } = call.device;
  const [only, ...others] = message.seenby ?? [];
  const isForOne = others.length === 0 && (only === as.uid || only === 1 || only === 2);
  if (isForOne) {
    const hidden = await parley.call(messagesDelete, { conv, seqs: [seq] }, { as: as.uid }).catch(AppError.from);
    return hidden instanceof AppError ? hidden : undefined;
  }
  const done = await parley.send({ to, content: { type: "recall", seq } }, { as: as.uid, packet: call.packet });
  return done instanceof AppError ? done : undefined;
}

function placeOf(conv: string, id: number | undefined): number | AppError {
  const seq = id === undefined ? 0 : seqOf(id);
  if (seq === 0) return new AppError("invalid_packet", "id names the message");
  // A client that lost the high bits still means its own feed.
  const isForeign = id !== undefined && id > 2 ** 32 && !isIdOf(conv, id);
  return isForeign ? new AppError("not_found", "the message is of another feed") : seq;
}
