// What a membership event does to one of those whom it is about.
import { devicesNamed, type MemberMode, type MembershipEvent, type OneSidedMode } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import type { Member } from "../keep/store.ts";
import { addDevices, removeDevices, setDevices } from "./devices.ts";
import { isPresent } from "./members.ts";

type Place = Pick<LogEntry, "seq" | "ord">;
type Apply = (member: Member, at: Place, event: MembershipEvent) => void;

/** Changes `member`. */
export function applyEvent(member: Member, at: Place, event: MembershipEvent): void {
  if (member.uid === event.owner) member.role = "owner";
  else effects[event.event]?.(member, at, event);
}

const leave: Apply = (member, { seq, ord }) => {
  delete member.pending;
  if (!isPresent(member)) return;
  endStay(member, { seq, ord });
  delete member.mode;
};

// Also of who only wrote: what ended its membership is its to read.
function endStay(member: Member, { seq, ord }: Place): void {
  const open = member.stays.at(-1);
  if (open?.[1] === null) open[1] = seq;
  else member.stays.push([seq, seq]);
  member.leftOrd = ord;
}

function setMode(member: Member, at: Place, mode: MemberMode): void {
  if (mode === "write") {
    if (member.mode !== "write") endStay(member, at);
  } else if (member.mode === "write") beginStay(member, at);
  if (mode === "read-write") delete member.mode;
  else member.mode = mode;
}

function beginStay(member: Member, { seq, ord }: Place): void {
  member.stays.push([seq, null]);
  member.joinOrd = ord;
  delete member.leftOrd;
}

const join: Apply = (member, at, event) => {
  const mode = modeIn(event, member.uid) ?? member.pending?.mode ?? "read-write";
  delete member.pending;
  delete member.blocks;
  delete member.banned;
  const named = devicesNamed(event.devices, member.uid);
  if (isPresent(member)) return addDevices(member, at, { named, fromStart: event.fromStart });
  setDevices(member, at, { devices: named ?? undefined, fromStart: event.fromStart });
  beginStay(member, at);
  if (event.fromStart && mode !== "write") member.stays = [[1, null]];
  setMode(member, at, mode);
  member.role = event.event === "create" && member.uid === event.by ? "owner" : (event.role ?? "member");
  if (event.link !== undefined) member.link = event.link;
};

function invite(member: Member, at: Place, event: MembershipEvent): void {
  const mode = modeIn(event, member.uid);
  if (event.invited?.includes(member.uid))
    member.pending = { as: "invited", by: event.by, ...(mode && { mode }), ...devicesOf(event, member) };
  else join(member, at, event);
}

function devicesOf({ devices }: MembershipEvent, { uid }: Member): { devices?: readonly string[] } {
  const named = devicesNamed(devices, uid);
  return named ? { devices: named } : {};
}

function modeIn({ modes }: MembershipEvent, uid: string): OneSidedMode | undefined {
  if (modes?.read?.includes(uid)) return "read";
  return modes?.write?.includes(uid) ? "write" : undefined;
}

const effects: Partial<Record<MembershipEvent["event"], Apply>> = {
  create: invite,
  invite,
  join,
  admit: join,
  leave,
  remove: leave,
  ask(member, _at, event) {
    member.pending = { as: "asking", by: event.by, ...devicesOf(event, member) };
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
  mode(member, at, { mode = "read-write" }) {
    setMode(member, at, mode);
  },
  devices(member, at, event) {
    const named = devicesNamed(event.devices, member.uid);
    if (event.way === "in") addDevices(member, at, { named, fromStart: event.fromStart });
    else removeDevices(member, named ?? []);
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
