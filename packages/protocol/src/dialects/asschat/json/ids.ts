// What channels and clients are called in ASSChat's second form: a room by its id, without the `$` of the first.
import { AppError } from "../../../errors.ts";
import { isRoomId, parseConv, roomConv } from "../../../ids.ts";
import type { Channels } from "../channels.ts";
import { isChannelId, isDigested } from "../names.ts";

/** How a conversation is told: a room by its id, any other as in the first form. */
export function chIdOf(conv: string, channels: Channels): string {
  const parsed = parseConv(conv);
  return parsed?.kind === "room" ? parsed.roomId : channels.idOf(conv);
}

/** The first form's channel id of what a device calls a channel, with or without `$`; a room that has none of its own is known from then on. */
export function readChId(chId: string, channels: Channels): string | AppError {
  if (isChannelId(chId)) return chId;
  if (!isRoomId(chId)) return new AppError("invalid_packet", `${chId.slice(0, 64)} is no channel id`);
  const plain = `$${chId}`;
  return isChannelId(plain) && !isDigested(plain) ? plain : channels.idOf(roomConv(chId));
}

/** The sender's client id, whose beginning says the user; the user's id where that says something else. */
export function writeSender({ from, device }: { from: string; device?: unknown }): string {
  const isNamed = typeof device === "string" && (device.startsWith(`${from}:`) || device.startsWith(`${from}/`));
  return isNamed ? device : from;
}
