// The methods of rooms.
import {
  roomsCreate,
  roomsGet,
  roomsInvite,
  roomsJoin,
  roomsLeave,
  roomsList,
  roomsMembers,
  roomsRemove,
} from "@parley/protocol";
import { type Bound, bind } from "../call.ts";
import { invite, join, leave, remove } from "./change.ts";
import { createRoom, type RoomParts } from "./create.ts";
import { getRoom, listRooms, roomMembers } from "./read.ts";

export function roomMethods(parts: RoomParts): Bound[] {
  return [
    bind(roomsCreate, (params, call) => createRoom(parts, params, call)),
    bind(roomsGet, ({ id }, { caller }) => getRoom(parts, id, caller.uid)),
    bind(roomsList, (_params, { caller }) => listRooms(parts, caller.uid)),
    bind(roomsMembers, ({ id }, { caller }) => roomMembers(parts, id, caller.uid)),
    bind(roomsInvite, (params, call) => invite(parts, params, call)),
    bind(roomsRemove, (params, call) => remove(parts, params, call)),
    bind(roomsJoin, ({ id }, call) => join(parts, id, call)),
    bind(roomsLeave, ({ id }, call) => leave(parts, id, call)),
  ];
}
