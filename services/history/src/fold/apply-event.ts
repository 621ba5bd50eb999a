// What a membership event does to one of those whom it is about.
import type { MembershipEvent } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import type { Member } from "../keep/store.ts";

type Place = Pick<LogEntry, "seq" | "ord">;
type Apply = (member: Member, at: Place, event: MembershipEvent) => void;

/** Changes `member`. */
export function applyEvent(member: Member, at: Place, event: MembershipEvent): void {
  if (member.uid === event.owner) member.role = "owner";
  else effects[event.event]?.(member, at, event);
}

const leave: Apply = (member, { seq, ord }) => {
  delete member.pending;
  const open = member.stays.at(-1);
  if (open?.[1] !== null) return;
  open[1] = seq;
  member.leftOrd = ord;
};

const join: Apply = (member, { seq, ord }, event) => {
  delete member.pending;
  delete member.blocks;
  delete member.banned;
  if (member.stays.at(-1)?.[1] === null) return;
  if (event.fromStart) member.stays = [[1, null]];
  else member.stays.push([seq, null]);
  member.role = event.event === "create" && member.uid === event.by ? "owner" : (event.role ?? "member");
  member.joinOrd = ord;
  delete member.leftOrd;
  if (event.link !== undefined) member.link = event.link;
};

function invite(member: Member, at: Place, event: MembershipEvent): void {
  if (event.invited?.includes(member.uid)) member.pending = { as: "invited", by: event.by };
  else join(member, at, event);
}

const effects: Partial<Record<MembershipEvent["event"], Apply>> = {
  create: invite,
  invite,
  join,
  admit: join,
  leave,
  remove: leave,
  ask(member, _at, { by }) {
    member.pending = { as: "asking", by };
  },
  refuse(member) {
    delete member.pending;
  },
  role(member, _at, { role = "member" }) {
    member.role = role;
  },
  transfer(member, _at, { by }) {
    member.role = member.uid === by ? "admin" : "owner";
  },
  ban(member, at, event) {
    leave(member, at, event);
    member.banned = true;
  },
  unban(member) {
    delete member.banned;
  },
  mute(member, _at, { until = null }) {
    member.mutedUntil = until;
  },
  unmute(member) {
    delete member.mutedUntil;
  },
  block(member, at, event) {
    leave(member, at, event);
    member.blocks = true;
  },
  unblock(member) {
    delete member.blocks;
  },
  // Nothing but this event is left to read, for whoever was a member then.
  delete(member, at, event) {
    leave(member, at, event);
    member.deletedTo = Math.max(member.deletedTo, at.seq - 1);
    member.deletedOrd = Math.max(member.deletedOrd, at.ord);
  },
};
