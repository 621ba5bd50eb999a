// Changing a room: asked here, decided by history at the log.
import {
  AppError,
  noUser,
  type ParamsOf,
  type ResultOf,
  refuseDevices,
  type roomsInvite,
  type roomsJoin,
  type roomsRemove,
  type roomsRemoveDevice,
  type roomsSetInvitations,
  type roomsUpdate,
} from "@parley/protocol";
import type { Call } from "../call.ts";
import { knownUser } from "../known-users.ts";
import { unseenBy } from "../people/visible.ts";
import { askHistory, type Changed, changeMembers } from "./ask.ts";
import { findGuests, tellInvited } from "./guests.ts";
import { hashOfLink } from "./links.ts";
import { findRoom, type Room, type RoomParts, readRoom, viewRoom } from "./room.ts";

export async function invite(
  parts: RoomParts,
  { id, uids, mode = "read-write", devices }: ParamsOf<typeof roomsInvite>,
  call: Call,
): Promise<ResultOf<typeof roomsInvite> | AppError> {
  const stranger = Object.keys(devices ?? {}).find((uid) => !uids.includes(uid));
  if (stranger !== undefined) return new AppError("invalid_packet", `devices: ${stranger} is none of the uids`);
  const foreign = devices && refuseDevices(devices);
  if (foreign) return foreign;
  const guests = await findGuests(parts.store, call.caller.uid, uids);
  if (guests instanceof AppError) return guests;
  const reply = await askHistory(parts, id, call, {
    event: {
      event: "invite",
      uids,
      ...(mode === "read-write" ? {} : { modes: { [mode]: uids } }),
      ...(devices && { devices }),
    },
    ...guests,
  });
  if (reply instanceof AppError) return reply;
  const { seq, changed, invited, more } = reply;
  const done = { seq, uids: changed, ...(more && { more }) };
  if (!invited) return done;
  const view = await viewRoom(parts, id, call.caller);
  if (!(view instanceof AppError)) tellInvited(parts, { id, name: view.name, devices }, call.caller.uid, invited);
  return { ...done, invited };
}

export async function remove(
  parts: RoomParts,
  { id, uid, uids }: ParamsOf<typeof roomsRemove>,
  call: Call,
): Promise<Changed | AppError> {
  if ((uid === undefined) === (uids === undefined))
    return new AppError("invalid_packet", "give uid or uids, one of them");
  return changeMembers(parts, id, call, { event: "remove", uids: uids ?? [uid as string] });
}

export async function removeDevice(
  parts: RoomParts,
  { id, uid, clientId }: ParamsOf<typeof roomsRemoveDevice>,
  call: Call,
): Promise<Changed | AppError> {
  const devices = { [uid]: [clientId] };
  const foreign = refuseDevices(devices);
  return foreign ?? changeMembers(parts, id, call, { event: "devices", way: "out", uids: [uid], devices });
}

/** Of those whom the caller may not know of, the room has to know. */
export async function ban(parts: RoomParts, id: string, uids: string[], call: Call): Promise<Changed | AppError> {
  const unseen = [...(await unseenBy(parts.store, call.caller.uid, uids))];
  const reply = await askHistory(parts, id, call, { event: { event: "ban", uids }, unseen });
  return reply instanceof AppError ? reply : { seq: reply.seq, uids: reply.changed };
}

export async function join(
  parts: RoomParts,
  { id, link, devices }: ParamsOf<typeof roomsJoin>,
  call: Call,
): Promise<ResultOf<typeof roomsJoin> | AppError> {
  const { uid } = call.caller;
  const only = devices && { devices: { [uid]: devices } };
  const foreign = only && refuseDevices(only.devices);
  if (foreign) return foreign;
  const event = { event: "join" as const, uids: [uid], ...only };
  const more = link === undefined ? {} : { linkHash: hashOfLink(link) };
  const reply = await askHistory(parts, id, call, { event, ...more });
  if (reply instanceof AppError) return reply;
  return { seq: reply.seq, uids: reply.changed, ...(reply.asking ? { asking: true as const } : {}) };
}

export async function update(
  parts: RoomParts,
  { id, name, ...patch }: ParamsOf<typeof roomsUpdate>,
  call: Call,
): Promise<Room | AppError> {
  const reply = await askHistory(parts, id, call, {
    event: { event: "update", uids: [] },
    patch: { ...patch, ...(name === undefined ? {} : { name: name.normalize("NFC") }) },
  });
  if (reply instanceof AppError) return reply;
  const made = await findRoom(parts, id);
  return made instanceof AppError ? made : readRoom(parts, made, call.caller);
}

export async function setInvitations(
  { store }: RoomParts,
  { invitations }: ParamsOf<typeof roomsSetInvitations>,
  { caller }: Call,
): Promise<ResultOf<typeof roomsSetInvitations> | AppError> {
  for (;;) {
    const user = await knownUser(store, caller.uid);
    if (!user) return noUser(caller.uid);
    if (await store.users.update(caller.uid, { ...user.doc, invitations }, user.version)) return {};
  }
}
