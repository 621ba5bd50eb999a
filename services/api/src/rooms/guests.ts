// Those who are invited to rooms: do they exist, do they want to be asked first, and how they are told.
import { AppError, type InvitationNotice, type NotifyRequest, roomConv, subjects } from "@parley/protocol";
import { knownUsers } from "../known-users.ts";
import type { ApiStore } from "../store.ts";
import type { RoomParts } from "./room.ts";

/** Whom of these users to ask first; or the first who is none. */
export async function findGuests(
  store: ApiStore,
  uids: readonly string[],
): Promise<{ askFirst?: string[] } | AppError> {
  const known = await knownUsers(store, uids);
  const unknown = uids.find((uid) => !known.has(uid));
  if (unknown !== undefined) return new AppError("not_found", `there is no user ${unknown}`);
  const askFirst = uids.filter((uid) => known.get(uid)?.doc.invitations === "ask");
  return askFirst.length === 0 ? {} : { askFirst };
}

/** They are no members, so no entry of the room reaches them. The word may be lost: rooms.invitations has it too. */
export function tellInvited(
  { nats }: Pick<RoomParts, "nats">,
  { id, name }: { id: string; name: string },
  by: string,
  uids: string[],
): void {
  if (uids.length === 0) return;
  const packet: InvitationNotice = { type: "invitation", id, conv: roomConv(id), name, by };
  const told: NotifyRequest = { uids, channel: "m", packet };
  nats.publish(subjects.notify, JSON.stringify(told));
}
