// What owners and admins do to others: roles, removal, bans, silence.
import { AppError, limits, type MembershipEvent, noUser } from "@parley/protocol";
import { isMember } from "../fold/members.ts";
import type { Member } from "../keep/store.ts";
import { isWithinReach } from "./rights.ts";
import { allowed, type Decided, type Room, refuse } from "./room.ts";

const role = allowed("setRole", (room, { event }, by) => {
  const { uids, role: given = "member" } = event;
  const members = present(room, uids);
  const missing = uids.find((uid) => !isMember(room.members.get(uid)));
  if (missing !== undefined) return new AppError("not_found", `${missing} is not a member`);
  const changed = members.filter((member) => member.role !== given).map(({ uid }) => uid);
  if (changed.length === 0) return undefined;
  const keepsOwner = [...room.members.values()].some(
    (member) => isMember(member) && member.role === "owner" && !changed.includes(member.uid),
  );
  if (given !== "owner" && !keepsOwner)
    return refuse("the room needs an owner: hand it over with rooms.transfer", "owner");
  return { event: "role", by: by.uid, uids: changed, role: given };
});

const transfer = allowed("transfer", (room, { event }, by) => {
  const [to = ""] = event.uids;
  if (to === by.uid) return undefined;
  if (!isMember(room.members.get(to))) return new AppError("not_found", `${to} is not a member`);
  return { event: "transfer", by: by.uid, uids: [to] };
});

const remove = allowed("remove", (room, { event }, by) => {
  const members = present(room, event.uids);
  if (members.some(({ uid }) => uid === by.uid)) return refuse("use rooms.leave to leave a room", "self");
  return members.length === 0 ? undefined : (refuseReach(by, members, "remove") ?? eventOf("remove", by, members));
});

const ban = allowed("ban", (room, { event, unseen }, by) => {
  const { uids } = event;
  const unknown = unseen?.find((uid) => !room.members.has(uid));
  if (unknown !== undefined) return noUser(unknown);
  if (uids.includes(by.uid)) return refuse("nobody bans itself; use rooms.leave", "self");
  const fresh = uids.filter((uid) => !room.members.get(uid)?.banned);
  if (fresh.length === 0) return undefined;
  const banned = [...room.members.values()].filter((member) => member.banned).length;
  if (banned + fresh.length > limits.roomOutsiders)
    return new AppError("conflict", `${limits.roomOutsiders} users are banned already`);
  return refuseReach(by, present(room, fresh), "ban") ?? { event: "ban", by: by.uid, uids: fresh };
});

const unban = allowed("ban", (room, { event }, by) => {
  const uids = event.uids.filter((uid) => room.members.get(uid)?.banned);
  return uids.length === 0 ? undefined : { event: "unban", by: by.uid, uids };
});

const mute = allowed("mute", (room, { event }, by, now) => {
  const { uids, until = null } = event;
  const missing = uids.find((uid) => !isMember(room.members.get(uid)));
  if (missing !== undefined) return new AppError("not_found", `${missing} is not a member`);
  if (until !== null && until <= now) return new AppError("invalid_packet", "until is in the past");
  const members = present(room, uids).filter(({ mutedUntil }) => mutedUntil !== until);
  if (members.length === 0) return undefined;
  return refuseReach(by, members, "mute") ?? { ...eventOf("mute", by, members), until };
});

const unmute = allowed("mute", (room, { event }, by) => {
  const uids = event.uids.filter((uid) => room.members.get(uid)?.mutedUntil !== undefined);
  return uids.length === 0 ? undefined : { event: "unmute", by: by.uid, uids };
});

const mode = allowed("mode", (room, { event }, by) => {
  const { uids, mode: given = "read-write" } = event;
  const missing = uids.find((uid) => !isMember(room.members.get(uid)));
  if (missing !== undefined) return new AppError("not_found", `${missing} is not a member`);
  const members = present(room, uids).filter(({ mode: has = "read-write" }) => has !== given);
  if (members.length === 0) return undefined;
  return refuseReach(by, members, "change") ?? { ...eventOf("mode", by, members), mode: given };
});

export const decideStanding = { role, transfer, remove, ban, unban, mute, unmute, mode } as const;

function present(room: Room, uids: readonly string[]): Member[] {
  return uids.map((uid) => room.members.get(uid)).filter(isMember);
}

function eventOf(event: MembershipEvent["event"], by: Member, members: readonly Member[]): MembershipEvent {
  return { event, by: by.uid, uids: members.map(({ uid }) => uid) };
}

function refuseReach(by: Member, members: readonly Member[], verb: string): Decided {
  const above = members.find((member) => !isWithinReach(by, member));
  return above && refuse(`an ${by.role} may not ${verb} an ${above.role}`, "role");
}
