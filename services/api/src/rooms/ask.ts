// What api asks history to change in a room.
import {
  AppError,
  type ChangeReply,
  type ChangeRequest,
  type MembershipEvent,
  roomConv,
  withoutDevice,
} from "@parley/protocol";
import type { Call } from "../call.ts";
import { findRoom, type RoomParts } from "./room.ts";

export interface Changed {
  seq: number;
  uids: string[];
}

/** A change whose event says all. */
export async function changeMembers(
  parts: RoomParts,
  id: string,
  call: Call,
  event: Omit<MembershipEvent, "by">,
): Promise<Changed | AppError> {
  const reply = await askHistory(parts, id, call, { event });
  return reply instanceof AppError ? reply : { seq: reply.seq, uids: reply.changed };
}

type Asked = Omit<ChangeRequest, "conv" | "id" | "device" | "origin" | "open" | "event"> & {
  event: Omit<MembershipEvent, "by">;
};

export async function askHistory(
  parts: RoomParts,
  id: string,
  { caller, operation }: Call,
  { event, ...more }: Asked,
): Promise<ChangeReply | AppError> {
  const room = await findRoom(parts, id);
  if (room instanceof AppError) return room;
  const reply = await parts.history.change({
    ...more,
    conv: roomConv(id),
    id: `${event.event}:${operation}`,
    device: caller.clientId ?? withoutDevice,
    origin: "api",
    event: { ...event, by: caller.uid },
    open: room.settings.join === "open",
  });
  parts.pass("before-room-reply");
  return reply;
}
