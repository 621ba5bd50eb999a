// Reading rooms: what a room is, who is in it, which ones a user is in. Members are history's.
import {
  AppError,
  type MemberList,
  parseConv,
  type ResultOf,
  roomConv,
  type roomsList,
  type roomsMembers,
} from "@parley/protocol";
import type { RoomDoc } from "../store.ts";
import { type Room, type RoomParts, roomOf } from "./create.ts";

export async function getRoom(parts: RoomParts, id: string, uid: string): Promise<Room | AppError> {
  const room = await findRoom(parts, id);
  if (room instanceof AppError) return room;
  if (room.settings.join === "open") return roomOf(room);
  const present = presentMembers(await parts.history.members(roomConv(id)));
  return present.some((member) => member.uid === uid) ? roomOf(room) : notMember();
}

export async function roomMembers(
  parts: RoomParts,
  id: string,
  uid: string,
): Promise<ResultOf<typeof roomsMembers> | AppError> {
  const room = await findRoom(parts, id);
  if (room instanceof AppError) return room;
  const members = presentMembers(await parts.history.members(roomConv(id)));
  return members.some((member) => member.uid === uid) ? { members } : notMember();
}

export async function listRooms({ store, history }: RoomParts, uid: string): Promise<ResultOf<typeof roomsList>> {
  const ids = (await history.memberships(uid, "room")).flatMap(({ conv }) => {
    const parsed = parseConv(conv);
    return parsed?.kind === "room" ? [parsed.roomId] : [];
  });
  const known = await store.rooms.getMany(ids);
  const rooms = ids.flatMap((id) => known.get(id)?.doc ?? []).filter(isReady);
  return { rooms: rooms.map(roomOf) };
}

/** A room that is ready; or `not_found`. */
export async function findRoom({ store }: RoomParts, id: string): Promise<RoomDoc | AppError> {
  const room = (await store.rooms.get(id))?.doc;
  return room && isReady(room) ? room : new AppError("not_found", `there is no room ${id}`);
}

function isReady({ state }: RoomDoc): boolean {
  return state === "ready";
}

function presentMembers({ members }: MemberList) {
  return members.flatMap(({ uid, role, stays }) => {
    const last = stays.at(-1);
    return last?.[1] === null ? [{ uid, role, joinSeq: last[0] }] : [];
  });
}

function notMember(): AppError {
  return new AppError("not_member", "only members of the room may see this");
}
