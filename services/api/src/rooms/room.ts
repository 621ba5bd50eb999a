// A room as its callers see it: what it was made with, what the log says of it, and how the caller stands to it.
import {
  AppError,
  type Caller,
  noRoom,
  type ResultOf,
  type RoomView,
  roomConv,
  type roomsGet,
  shownAvatar,
} from "@parley/protocol";
import type { NatsConnection, Pass } from "@parley/runtime";
import { askerOf } from "../call.ts";
import type { History } from "../history.ts";
import type { ApiStore, RoomDoc } from "../store.ts";

export interface RoomParts {
  store: ApiStore;
  history: History;
  /** keys the secrets of invite links */
  signingKey: Uint8Array;
  nats: NatsConnection;
  /** what topics of guests begin with, by levels; empty: any topic is one */
  guestPrefixes: readonly string[];
  /** where a test may end the process */
  pass: Pass;
}

export type Room = ResultOf<typeof roomsGet>;

/** A room that may be changed; or `not_found`, or `unavailable` while it is being made. */
export async function findRoom({ store }: RoomParts, id: string): Promise<RoomDoc | AppError> {
  const room = (await store.rooms.get(id))?.doc;
  if (room === undefined) return noRoom(id);
  return room.state === "ready" ? room : new AppError("unavailable", `the room ${id} is being made; ask again`);
}

/** How the log has it, for this user. */
export async function viewRoom({ history }: RoomParts, id: string, caller: Caller): Promise<RoomView | AppError> {
  const { rooms } = await history.rooms({ ...askerOf(caller), convs: [roomConv(id)] });
  const view = rooms[0];
  return view && !view.room?.deleted ? view : noRoom(id);
}

export async function readRoom(parts: RoomParts, room: RoomDoc, caller: Caller): Promise<Room | AppError> {
  const view = await viewRoom(parts, room.id, caller);
  return view instanceof AppError ? view : roomOf(room, view);
}

/** `made`: of a version that kept a room's settings here. */
export function roomOf(made: RoomDoc, { name, room = made, members, member }: RoomView): Room {
  const { nick, avatar = "", group = "", topic, description, settings } = room;
  const shown = name || made.name;
  return {
    id: made.id,
    conv: roomConv(made.id),
    name: shown,
    nick: nick ?? shown,
    group,
    avatar: shownAvatar(avatar),
    ...(topic === undefined ? {} : { topic }),
    ...(description === undefined ? {} : { description }),
    createdBy: made.createdBy,
    createdAt: made.createdAt,
    settings,
    ...("archived" in room && room.archived ? { archived: true as const } : {}),
    ...(members === undefined ? {} : { members }),
    ...(member && "nested" in room && room.nested ? { nested: room.nested } : {}),
    ...member,
  };
}
