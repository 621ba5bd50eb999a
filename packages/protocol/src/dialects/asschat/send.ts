// A Channel Msg that a device published: stored, and acknowledged.
import { AppError } from "../../errors.ts";
import { parseConv, toOf } from "../../ids.ts";
import type { Outgoing, Published, Stored } from "../dialect.ts";
import { writeAck, writeRefusal } from "./acks.ts";
import type { Device } from "./device.ts";
import { readFields } from "./fields.ts";
import { readMessage } from "./messages.ts";
import { channelIdWords, isChannelId } from "./names.ts";

/** `behind`: commands that are not done yet; the message comes behind them. */
export async function takeMessage(
  device: Device,
  chid: string,
  packet: Published,
  behind: Promise<void> | undefined,
): Promise<void> {
  const fields = readFields(packet.properties);
  const named = fields.one("CHID") ?? chid;
  const read = named === chid ? readMessage(packet, fields) : mismatch(chid, named);
  const outcome = read instanceof AppError ? read : await sendInChannel(device, chid, { read, packet, behind });
  const { say } = device.parley;
  if (outcome instanceof AppError) {
    const about = [["CHID", chid] as const, ["Id", fields.one("Id")] as const];
    return say(writeRefusal(packet, outcome, about));
  }
  const { id, seq, ts } = outcome;
  const about = [["CHID", chid] as const, ["Id", id] as const, ["Seq", seq] as const, ["Ts", ts] as const];
  return say(writeAck(packet, about));
}

interface ToSend {
  read: Omit<Outgoing, "to">;
  packet: Published;
  behind: Promise<void> | undefined;
}

/** No await before a message to a known channel is in line. */
export async function sendInChannel(
  device: Device,
  chid: string,
  { read, packet, behind }: ToSend,
): Promise<Stored | AppError> {
  if (behind !== undefined) await behind;
  const conv = device.channels.known(chid) ?? (await find(device, chid));
  if (conv instanceof AppError) return conv;
  const { uid } = device.tree;
  const parsed = parseConv(conv);
  if (parsed?.kind === "dev" && parsed.from !== uid)
    return new AppError("forbidden", `only ${parsed.from} sends to ${chid}, a channel to one client`);
  return device.parley.send({ ...read, to: toOf(uid, conv) } as Outgoing, { packet });
}

async function find({ channels, pending }: Device, chid: string): Promise<string | AppError> {
  if (!isChannelId(chid))
    return new AppError("invalid_packet", `${chid.slice(0, 64)} is no channel id: ${channelIdWords}`);
  try {
    await pending.load();
    for (const conv of pending.conversations()) channels.idOf(conv);
    return (await channels.find(chid)) ?? new AppError("not_found", `there is no channel ${chid}`);
  } catch (error) {
    return AppError.from(error);
  }
}

function mismatch(chid: string, named: string): AppError {
  return new AppError("invalid_packet", `the topic says ${chid}, CHID says ${named.slice(0, 64)}`);
}
