// Those who are invited to rooms: do they exist, do they want to be asked first, and how they are told.
import {
  type AppError,
  devicesNamed,
  type InvitationNotice,
  type MemberDevices,
  type NotifyRequest,
  notifiedOf,
  noUser,
  roomConv,
  subjects,
} from "@parley/protocol";
import { knownUsers } from "../known-users.ts";
import { pairKey, sidesOf } from "../people/pairs.ts";
import { hiddenFrom } from "../people/visible.ts";
import type { ApiStore } from "../store.ts";
import type { RoomParts } from "./room.ts";

/** Whom of these users to ask first; or the first who is none, as far as `by` may know. */
export async function findGuests(
  store: ApiStore,
  by: string,
  uids: readonly string[],
): Promise<{ askFirst?: string[] } | AppError> {
  const [known, hidden] = await Promise.all([knownUsers(store, uids), hiddenFrom(store, by, uids)]);
  const unknown = uids.find((uid) => !known.has(uid) || hidden.has(uid));
  if (unknown !== undefined) return noUser(unknown);
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
  { id, name, devices }: { id: string; name: string; devices?: Readonly<MemberDevices> | undefined },
  by: string,
  uids: string[],
): void {
  if (uids.length === 0) return;
  const packet: InvitationNotice = { type: "invitation", id, conv: roomConv(id), name, by };
  const receivers = uids.map((uid) => ({ uid, devices: devicesNamed(devices, uid) }));
  const told: NotifyRequest = { ...notifiedOf(receivers), channel: "m", packet };
  nats.publish(subjects.notify, JSON.stringify(told));
}
