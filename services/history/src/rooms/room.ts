// A room as its changes are decided on it.
import { AppError, type ChangeRequest, isAvatar, type MembershipEvent, type RoomState } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import type { Folded } from "../fold/fold-entry.ts";
import { isMember, isPresent } from "../fold/members.ts";
import type { Member } from "../keep/store.ts";
import { type Action, refuseAction } from "./rights.ts";

export interface Room extends Folded {
  lastSeq: number;
  /** whose messages the other side does not take, between two users */
  refused?: ReadonlyMap<string, unknown>;
  /** invite, create: who has blocked the asker */
  blockers?: ReadonlySet<string>;
  /** looked up for a pin */
  pinSight?: PinSight;
}

export interface PinSight {
  /** the message to be pinned, if it is there */
  about: LogEntry | undefined;
  /** of it and those that are pinned: which were recalled */
  recalled: ReadonlySet<number>;
}

/** The event that a change comes to, undefined when it changes nothing, or the refusal. */
export type Decided = MembershipEvent | undefined | AppError;

/** `by`: the asker, if it is known to the room; `now`: unix ms. The request's uids are named once each. */
export type Decide = (room: Room, request: ChangeRequest, asked: { by: Member | undefined; now: number }) => Decided;

/** A decision for members who may do it. */
export function allowed(
  action: Action,
  decide: (room: Room, request: ChangeRequest, by: Member, now: number) => Decided,
): Decide {
  return (room, request, { by, now }) => {
    if (!isMember(by)) return notMember();
    return refuseAction(room.room, by, action) ?? decide(room, request, by, now);
  };
}

export function notMember(): AppError {
  return new AppError("not_member", "only members may change the room");
}

/** The room's state, of which a version that kept it elsewhere has none. */
export function stateOf({ room }: Room, { open }: ChangeRequest): RoomState {
  const { avatar, ...rest } = room ?? { settings: open ? { join: "open" } : {} };
  // A version before took any text.
  return avatar !== undefined && isAvatar(avatar) ? { ...rest, avatar } : rest;
}

/** How many members a room has: what its last event says, which is not counted again. */
export function presentIn({ size, members }: Pick<Room, "size" | "members">): number {
  return size ? size.members : countMembers(members, isPresent);
}

export function countMembers(members: ReadonlyMap<string, Member>, counts: (member: Member) => boolean): number {
  let count = 0;
  for (const member of members.values()) if (counts(member)) count += 1;
  return count;
}

export function refuse(message: string, reason: string): AppError {
  return new AppError("forbidden", message, { details: { reason } });
}
