// The methods of rooms.
import {
  AppError,
  type MembershipEvent,
  roomsAdmit,
  roomsArchive,
  roomsBan,
  roomsBlock,
  roomsCreate,
  roomsDelete,
  roomsGet,
  roomsInvitations,
  roomsInvite,
  roomsJoin,
  roomsLeave,
  roomsLinks,
  roomsList,
  roomsMakeLink,
  roomsMembers,
  roomsMute,
  roomsRefuse,
  roomsRemove,
  roomsRemoveLink,
  roomsSetInvitations,
  roomsSetRole,
  roomsTransfer,
  roomsUnarchive,
  roomsUnban,
  roomsUnblock,
  roomsUnmute,
  roomsUpdate,
} from "@parley/protocol";
import { type Bound, bind, type Call } from "../call.ts";
import { changeMembers } from "./ask.ts";
import { ban, invite, join, remove, setInvitations, update } from "./change.ts";
import { createRoom } from "./create.ts";
import { makeLink, removeLink } from "./links.ts";
import { getRoom, listInvitations, listLinks, listRooms, roomMembers } from "./read.ts";
import type { RoomParts } from "./room.ts";

export function roomMethods(parts: RoomParts): Bound[] {
  const member = (id: string, call: Call, event: Omit<MembershipEvent, "by">) => changeMembers(parts, id, call, event);
  const state = (method: typeof roomsArchive, event: "archive" | "unarchive" | "delete") =>
    bind(method, async ({ id }, call) => {
      const changed = await changeMembers(parts, id, call, { event, uids: [] });
      return changed instanceof AppError ? changed : { seq: changed.seq };
    });
  return [
    bind(roomsCreate, (params, call) => createRoom(parts, params, call)),
    bind(roomsGet, ({ id }, { caller }) => getRoom(parts, id, caller.uid)),
    bind(roomsList, (params, { caller }) => listRooms(parts, params, caller)),
    bind(roomsUpdate, (params, call) => update(parts, params, call)),
    state(roomsArchive, "archive"),
    state(roomsUnarchive, "unarchive"),
    state(roomsDelete, "delete"),
    bind(roomsMakeLink, (params, call) => makeLink(parts, params, call)),
    bind(roomsLinks, ({ id }, { caller }) => listLinks(parts, id, caller.uid)),
    bind(roomsRemoveLink, (params, call) => removeLink(parts, params, call)),
    bind(roomsMembers, (params, { caller }) => roomMembers(parts, params, caller)),
    bind(roomsInvite, (params, call) => invite(parts, params, call)),
    bind(roomsRemove, (params, call) => remove(parts, params, call)),
    bind(roomsJoin, (params, call) => join(parts, params, call)),
    bind(roomsLeave, ({ id, successor }, call) =>
      member(id, call, { event: "leave", uids: [call.caller.uid], ...(successor && { owner: successor }) }),
    ),
    bind(roomsSetRole, ({ id, uid, role }, call) => member(id, call, { event: "role", uids: [uid], role })),
    bind(roomsTransfer, ({ id, uid }, call) => member(id, call, { event: "transfer", uids: [uid] })),
    bind(roomsBan, ({ id, uids }, call) => ban(parts, id, uids, call)),
    bind(roomsUnban, ({ id, uid }, call) => member(id, call, { event: "unban", uids: [uid] })),
    bind(roomsMute, ({ id, uid, seconds }, call) => {
      const until = seconds === undefined ? null : Date.now() + seconds * 1_000;
      return member(id, call, { event: "mute", uids: [uid], until });
    }),
    bind(roomsUnmute, ({ id, uid }, call) => member(id, call, { event: "unmute", uids: [uid] })),
    bind(roomsAdmit, ({ id, uids }, call) => member(id, call, { event: "admit", uids })),
    bind(roomsRefuse, ({ id, uids }, call) => member(id, call, { event: "refuse", uids: uids ?? [call.caller.uid] })),
    bind(roomsBlock, ({ id }, call) => member(id, call, { event: "block", uids: [call.caller.uid] })),
    bind(roomsUnblock, ({ id }, call) => member(id, call, { event: "unblock", uids: [call.caller.uid] })),
    bind(roomsInvitations, (params, { caller }) => listInvitations(parts, params, caller)),
    bind(roomsSetInvitations, (params, call) => setInvitations(parts, params, call)),
  ];
}
