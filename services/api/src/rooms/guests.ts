// Those who are invited to rooms: do they exist, do they want to be asked first, and how they are told.
import { AppError, type InvitationNotice, type NotifyRequest, roomConv, subjects } from "@parley/protocol";
import { knownUsers } from "../known-users.ts";
import { pairKey, sidesOf } from "../people/pairs.ts";
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

/** The first of these users who has blocked `by`. */
export async function firstBlocker(
  { pairs }: ApiStore,
  by: string,
  uids: readonly string[],
): Promise<string | undefined> {
  const kept = await pairs.getMany(uids.map((uid) => pairKey(by, uid)));
  return uids.find((uid) => sidesOf(kept.get(pairKey(by, uid))?.doc, uid).mine.blocked);
}

/** Those of these users whom `uid` has blocked. */
export async function blockedOf({ pairs }: ApiStore, uid: string, others: readonly string[]): Promise<Set<string>> {
  if (others.length === 0) return new Set();
  const kept = await pairs.getMany(others.map((other) => pairKey(uid, other)));
  return new Set(others.filter((other) => sidesOf(kept.get(pairKey(uid, other))?.doc, uid).mine.blocked));
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
