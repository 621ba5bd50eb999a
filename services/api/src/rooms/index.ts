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
  roomsNest,
  roomsRefuse,
  roomsRemove,
  roomsRemoveDevice,
  roomsRemoveLink,
  roomsSetInvitations,
  roomsSetMode,
  roomsSetRole,
  roomsTransfer,
  roomsUnarchive,
  roomsUnban,
  roomsUnblock,
  roomsUnmute,
  roomsUnnest,
  roomsUpdate,
} from "@parley/protocol";
import { type Bound, bind, type Call } from "../call.ts";
import { changeMembers } from "./ask.ts";
import { ban, invite, join, remove, removeDevice, setInvitations, update } from "./change.ts";
import { createRoom } from "./create.ts";
import { makeLink, removeLink } from "./links.ts";
import { bindNamed, type NamedBind } from "./named.ts";
import { nest, unnest } from "./nest.ts";
import { getRoom, listInvitations, listLinks, listRooms, roomMembers } from "./read.ts";
import type { RoomParts } from "./room.ts";

export function roomMethods(parts: RoomParts): Bound[] {
  const named: NamedBind = (method, work) => bindNamed(parts.store, method, work);
  const member = (id: string, call: Call, event: Omit<MembershipEvent, "by">) => changeMembers(parts, id, call, event);
  const state = (method: typeof roomsArchive, event: "archive" | "unarchive" | "delete") =>
    named(method, async ({ id }, call) => {
      const changed = await changeMembers(parts, id, call, { event, uids: [] });
      return changed instanceof AppError ? changed : { seq: changed.seq };
    });
  return [
    bind(roomsCreate, (params, call) => createRoom(parts, params, call)),
    named(roomsGet, ({ id }, { caller }) => getRoom(parts, id, caller)),
    bind(roomsList, (params, { caller }) => listRooms(parts, params, caller)),
    named(roomsUpdate, (params, call) => update(parts, params, call)),
    state(roomsArchive, "archive"),
    state(roomsUnarchive, "unarchive"),
    state(roomsDelete, "delete"),
    named(roomsNest, (params, call) => nest(parts, params, call)),
    named(roomsUnnest, (params, call) => unnest(parts, params, call)),
    named(roomsMakeLink, (params, call) => makeLink(parts, params, call)),
    named(roomsLinks, ({ id }, { caller }) => listLinks(parts, id, caller)),
    named(roomsRemoveLink, (params, call) => removeLink(parts, params, call)),
    named(roomsMembers, (params, { caller }) => roomMembers(parts, params, caller)),
    named(roomsInvite, (params, call) => invite(parts, params, call)),
    named(roomsRemove, (params, call) => remove(parts, params, call)),
    named(roomsJoin, (params, call) => join(parts, params, call)),
    named(roomsLeave, ({ id, successor }, call) =>
      member(id, call, { event: "leave", uids: [call.caller.uid], ...(successor && { owner: successor }) }),
    ),
    named(roomsSetRole, ({ id, uid, role }, call) => member(id, call, { event: "role", uids: [uid], role })),
    named(roomsTransfer, ({ id, uid }, call) => member(id, call, { event: "transfer", uids: [uid] })),
    named(roomsBan, ({ id, uids }, call) => ban(parts, id, uids, call)),
    named(roomsUnban, ({ id, uid }, call) => member(id, call, { event: "unban", uids: [uid] })),
    named(roomsMute, ({ id, uid, seconds }, call) => {
      const until = seconds === undefined ? null : Date.now() + seconds * 1_000;
      return member(id, call, { event: "mute", uids: [uid], until });
    }),
    named(roomsUnmute, ({ id, uid }, call) => member(id, call, { event: "unmute", uids: [uid] })),
    named(roomsSetMode, ({ id, uid, mode }, call) => member(id, call, { event: "mode", uids: [uid], mode })),
    named(roomsRemoveDevice, (params, call) => removeDevice(parts, params, call)),
    named(roomsAdmit, ({ id, uids }, call) => member(id, call, { event: "admit", uids })),
    named(roomsRefuse, ({ id, uids }, call) => member(id, call, { event: "refuse", uids: uids ?? [call.caller.uid] })),
    named(roomsBlock, ({ id }, call) => member(id, call, { event: "block", uids: [call.caller.uid] })),
    named(roomsUnblock, ({ id }, call) => member(id, call, { event: "unblock", uids: [call.caller.uid] })),
    bind(roomsInvitations, (params, { caller }) => listInvitations(parts, params, caller)),
    bind(roomsSetInvitations, (params, call) => setInvitations(parts, params, call)),
  ];
}
