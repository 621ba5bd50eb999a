// Who may do what in a room: one table of role × action × the room's settings, for every door.
import { AppError, limits, type Role, type RoomState, uncountedTypes } from "@parley/protocol";
import type { Member } from "../keep/store.ts";

/** The least role that may; for the first four the room's settings may name another one. */
const least = {
  write: "member",
  invite: "admin",
  pin: "admin",
  mentionAll: "admin",
  admit: "admin",
  remove: "admin",
  ban: "admin",
  mute: "admin",
  mode: "admin",
  recallOthers: "admin",
  closePolls: "admin",
  update: "admin",
  link: "admin",
  nest: "admin",
  setRole: "owner",
  transfer: "owner",
  archive: "owner",
  delete: "owner",
} as const satisfies Record<string, Role>;

export type Action = keyof typeof least;

/** What a member says about a message of those who may write. */
const answeringTypes: ReadonlySet<string> = new Set(["reaction", "vote", "close"]);

const ranks: Readonly<Record<Role, number>> = { member: 0, admin: 1, owner: 2 };

export function may(room: RoomState | undefined, { role }: Pick<Member, "role">, action: Action): boolean {
  return ranks[role] >= ranks[leastRole(room, action)];
}

/** Why this member may not, or undefined. */
export function refuseAction(room: RoomState | undefined, member: Member, action: Action): AppError | undefined {
  if (may(room, member, action)) return undefined;
  return new AppError("forbidden", `only ${whoMay(leastRole(room, action))} may ${words[action]}`, {
    details: { reason: action },
  });
}

/** How many members a room may have: more where not all of them write. */
export function mostMembers(room: RoomState | undefined): number {
  return leastRole(room, "write") === "member" ? limits.roomMembers : limits.broadcastMembers;
}

/** True unless the other one stands above. */
export function isWithinReach(by: Pick<Member, "role">, other: Pick<Member, "role">): boolean {
  return ranks[by.role] >= ranks[other.role];
}

/**
 * Why this member may not have a message stored, or undefined. A recall of one's own is always allowed where something may be
 * written at all; reactions and votes are where only some may write. `lastSentAt`, `now`: unix ms.
 */
export function refuseWriting(
  room: RoomState | undefined,
  member: Member,
  { type, now, lastSentAt }: { type: string; now: number; lastSentAt: number | undefined },
): AppError | undefined {
  const closed = refuseArchived(room);
  if (closed || type === "recall") return closed;
  if (member.mode === "read") return refused("mode", "you only read in this room");
  const muted = refuseMuted(member, now);
  if (muted || !room) return muted;
  if (!answeringTypes.has(type) && !may(room, member, "write"))
    return refused("write", `only ${whoMay(leastRole(room, "write"))} may write in this room`);
  return refuseHaste(room, member, { type, now, lastSentAt });
}

function refuseArchived(room: RoomState | undefined): AppError | undefined {
  return room?.archived ? refused("archived", "the room is archived: nothing is written in it any more") : undefined;
}

function refuseMuted({ mutedUntil }: Member, now: number): AppError | undefined {
  if (mutedUntil === null) return refused("muted", "you are muted in this room");
  if (mutedUntil === undefined || mutedUntil <= now) return undefined;
  return refused("muted", `you are muted in this room until ${new Date(mutedUntil).toISOString()}`, {
    retryAfterMs: mutedUntil - now,
  });
}

/** Why a copy that comes from room `from` may not be stored, or undefined. `member`: its sender, if the room knows that one. */
export function refuseCopy(
  room: RoomState,
  member: Member | undefined,
  { type, from, now }: { type: string; from: string; now: number },
): AppError | undefined {
  const closed = refuseArchived(room);
  if (closed) return closed;
  if (room.nested?.some(({ id, mode }) => id === from && mode === "read"))
    return refused("mode", `the room ${from} only reads here`);
  if (type === "recall" || !member) return undefined;
  return member.banned ? refused("banned", "you are banned from this room") : refuseMuted(member, now);
}

function refuseHaste(
  { settings: { slowModeSeconds = 0 } }: RoomState,
  { role }: Member,
  { type, now, lastSentAt }: { type: string; now: number; lastSentAt: number | undefined },
): AppError | undefined {
  if (slowModeSeconds === 0 || role !== "member" || lastSentAt === undefined || uncountedTypes.has(type))
    return undefined;
  const retryAfterMs = lastSentAt + slowModeSeconds * 1_000 - now;
  if (retryAfterMs <= 0) return undefined;
  const message = `slow mode: one message in ${slowModeSeconds} s`;
  return new AppError("rate_limited", message, { details: { reason: "slow_mode", retryAfterMs } });
}

/** Of all members together, owners too. `sentLately`: unix ms, oldest first. */
export function refuseSpeed(
  room: RoomState | undefined,
  { type, now, sentLately }: { type: string; now: number; sentLately: readonly number[] },
): AppError | undefined {
  const most = room?.settings.messagesPerSecond ?? 0;
  const first = sentLately.at(-most);
  if (most === 0 || first === undefined || sentLately.length < most || uncountedTypes.has(type)) return undefined;
  const retryAfterMs = first + 1_000 - now;
  if (retryAfterMs <= 0) return undefined;
  const message = `this room takes ${most} messages a second`;
  return new AppError("rate_limited", message, { details: { reason: "write_speed", retryAfterMs } });
}

function refused(reason: string, message: string, details: Record<string, unknown> = {}): AppError {
  return new AppError("forbidden", message, { details: { reason, ...details } });
}

function leastRole(room: RoomState | undefined, action: Action): Role {
  const settings: Partial<Record<Action, unknown>> = room?.settings ?? {};
  return (settings[action] as Role | undefined) ?? least[action];
}

function whoMay(role: Role): string {
  return { owner: "owners", admin: "owners and admins", member: "members" }[role];
}

const words: Readonly<Record<Action, string>> = {
  write: "write",
  invite: "invite",
  pin: "pin messages",
  mentionAll: "mention all",
  admit: "let others in",
  remove: "remove members",
  ban: "ban and unban",
  mute: "mute members",
  mode: "say what members may",
  recallOthers: "recall others' messages",
  closePolls: "close others' polls",
  update: "change the room",
  link: "make and end invite links",
  nest: "say which rooms it goes on to",
  setRole: "give roles",
  transfer: "hand the room over",
  archive: "archive the room",
  delete: "delete the room",
};
