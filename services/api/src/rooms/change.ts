// Changing who is in a room: asked here, decided by history at the log.
import {
  AppError,
  type MembershipEvent,
  type ParamsOf,
  type ResultOf,
  roomConv,
  type roomsInvite,
  type roomsRemove,
} from "@parley/protocol";
import { firstUnknown } from "../accounts/users.ts";
import type { Call } from "../call.ts";
import { type RoomParts, withoutDevice } from "./create.ts";
import { findRoom } from "./read.ts";

type Changed = ResultOf<typeof roomsInvite>;

export async function invite(
  parts: RoomParts,
  { id, uids }: ParamsOf<typeof roomsInvite>,
  call: Call,
): Promise<Changed | AppError> {
  const unknown = await firstUnknown(parts.store, uids);
  if (unknown !== undefined) return new AppError("not_found", `there is no user ${unknown}`);
  return change(parts, id, call, { event: "invite", uids });
}

export async function remove(
  parts: RoomParts,
  { id, uid, uids }: ParamsOf<typeof roomsRemove>,
  call: Call,
): Promise<Changed | AppError> {
  if ((uid === undefined) === (uids === undefined))
    return new AppError("invalid_packet", "give uid or uids, one of them");
  return change(parts, id, call, { event: "remove", uids: uids ?? [uid as string] });
}

export function join(parts: RoomParts, id: string, call: Call): Promise<Changed | AppError> {
  return change(parts, id, call, { event: "join", uids: [call.caller.uid] });
}

export function leave(parts: RoomParts, id: string, call: Call): Promise<Changed | AppError> {
  return change(parts, id, call, { event: "leave", uids: [call.caller.uid] });
}

async function change(
  parts: RoomParts,
  id: string,
  { caller, operation }: Call,
  { event, uids }: Pick<MembershipEvent, "event" | "uids">,
): Promise<Changed | AppError> {
  const room = await findRoom(parts, id);
  if (room instanceof AppError) return room;
  const { seq, changed } = await parts.history.change({
    conv: roomConv(id),
    id: `${event}:${operation}`,
    device: caller.clientId ?? withoutDevice,
    origin: "api",
    event: { event, by: caller.uid, uids },
    open: room.settings.join === "open",
  });
  return { seq, uids: changed };
}
