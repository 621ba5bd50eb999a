// What a membership event does to one of those whom it is about.
import type { MemberMode, MembershipEvent, OneSidedMode } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import type { Member } from "../keep/store.ts";
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
  if (isPresent(member)) return takeIn(member, event);
  beginStay(member, at);
  if (event.fromStart && mode !== "write") member.stays = [[1, null]];
  setMode(member, at, mode);
  member.role = event.event === "create" && member.uid === event.by ? "owner" : (event.role ?? "member");
  setDevices(member, event.devices?.[member.uid] ?? undefined);
  if (event.link !== undefined) member.link = event.link;
};

// More devices of who is there with some of them.
function takeIn(member: Member, { devices }: MembershipEvent): void {
  const named = devices?.[member.uid];
  if (named === null) delete member.devices;
  else if (named && member.devices) member.devices = [...new Set([...member.devices, ...named])];
}

function setDevices(member: Member, devices: readonly string[] | undefined): void {
  if (devices) member.devices = devices;
  else delete member.devices;
}

function invite(member: Member, at: Place, event: MembershipEvent): void {
  const mode = modeIn(event, member.uid);
  if (event.invited?.includes(member.uid))
    member.pending = { as: "invited", by: event.by, ...(mode && { mode }), ...devicesOf(event, member) };
  else join(member, at, event);
}

function devicesOf({ devices }: MembershipEvent, { uid }: Member): { devices?: readonly string[] } {
  const named = devices?.[uid];
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
  devices(member, _at, event) {
    if (event.way === "in") return takeIn(member, event);
    const gone = event.devices?.[member.uid] ?? [];
    member.devices = (member.devices ?? []).filter((clientId) => !gone.includes(clientId));
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
