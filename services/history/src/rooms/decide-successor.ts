// Who owns a room when its last owner goes.
import { AppError, type MembershipEvent } from "@parley/protocol";
import { isMember } from "../fold/members.ts";
import type { Member } from "../keep/store.ts";
import { type Decided, type Room, refuse } from "./room.ts";

/** A room keeps an owner: whom the last one names, else the longest-standing admin, else member, follows when it leaves. */
export function withSuccessor(room: Room, by: Member, named: string | undefined, event: MembershipEvent): Decided {
  if (by.role !== "owner") return named === undefined ? event : refuse("only an owner names a successor", "transfer");
  if (named !== undefined) {
    const successor = room.members.get(named);
    if (named === by.uid || !isMember(successor)) return new AppError("not_found", `${named} is no member to follow`);
    return { ...event, owner: named };
  }
  const others = [...room.members.values()].filter((member) => member !== by && isMember(member));
  if (others.length === 0 || others.some(({ role }) => role === "owner")) return event;
  const byAge = others.sort((a, b) => rank(a) - rank(b) || joinedAt(a) - joinedAt(b) || (a.uid < b.uid ? -1 : 1));
  return { ...event, owner: byAge[0]!.uid };
}

function rank({ role }: Member): number {
  return role === "admin" ? 0 : 1;
}

function joinedAt(member: Member): number {
  return member.stays.at(-1)?.[0] ?? 0;
}
