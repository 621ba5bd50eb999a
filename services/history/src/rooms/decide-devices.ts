// With which of its devices a member is in a room: those that come in with who comes in, more of them, and one that goes out.
import { AppError, devicesNamed, limits, type MembershipEvent } from "@parley/protocol";
import { isMember } from "../fold/members.ts";
import type { Member } from "../keep/store.ts";
import { withSuccessor } from "./decide-successor.ts";
import { isWithinReach, refuseAction } from "./rights.ts";
import { type Decide, type Decided, notMember, type Room, refuse } from "./room.ts";

type Devices = Record<string, string[] | null>;

/** With which devices alone these come in, or are asked to. */
export function devicesAmong({ devices }: MembershipEvent, uids: readonly string[]): { devices?: Devices } {
  if (!devices) return {};
  const named = uids.map((uid) => [uid, devicesNamed(devices, uid)] as const);
  return given(Object.fromEntries(named.flatMap(([uid, its]) => (its ? [[uid, its]] : []))));
}

/** The same of those who were asked, or ask. */
export function devicesPending({ members }: Room, uids: readonly string[]): { devices?: Devices } {
  const pending = uids.map((uid) => [uid, members.get(uid)?.pending?.devices] as const);
  return given(Object.fromEntries(pending.flatMap(([uid, devices]) => (devices ? [[uid, [...devices]]] : []))));
}

export function given(devices: Devices): { devices?: Devices } {
  return Object.keys(devices).length === 0 ? {} : { devices };
}

/** What comes to the devices of those who are members already: who is named without devices is there with all from here on. */
export function moreDevices(room: Room, { devices }: MembershipEvent, uids: readonly string[]): Devices | AppError {
  const more: [uid: string, named: string[] | null][] = [];
  for (const uid of uids) {
    const member = room.members.get(uid);
    if (!isMember(member) || !member.devices) continue;
    const { devices: has } = member;
    const named = devicesNamed(devices, uid)?.filter((clientId) => !has.includes(clientId));
    if (named && has.length + named.length > limits.memberDevices)
      return new AppError("conflict", `${uid} is here with ${limits.memberDevices} devices at most; or with all`);
    if (named?.length !== 0) more.push([uid, named ?? null]);
  }
  return Object.fromEntries(more);
}

/** Nothing but devices of members comes in. */
export function broughtIn(room: Room, by: string, devices: Devices): MembershipEvent | undefined {
  const uids = Object.keys(devices);
  return uids.length === 0 ? undefined : { event: "devices", way: "in", by, uids, devices, ...reachOf(room) };
}

/** What those who come in may read. */
export function reachOf({ room }: Room): { fromStart?: true } {
  return room?.settings.history === "all" ? { fromStart: true } : {};
}

// One's own device takes out whoever is a member; the last one takes the member with it.
const removeDevices: Decide = (room, { event }, { by }) => {
  if (!isMember(by)) return notMember();
  const [uid = ""] = event.uids;
  const isOwn = uid === by.uid;
  const refused = isOwn ? undefined : refuseAction(room.room, by, "remove");
  if (refused) return refused;
  const member = room.members.get(uid);
  if (!isMember(member)) return undefined;
  if (!isWithinReach(by, member)) return refuse(`an ${by.role} may not remove an ${member.role}`, "role");
  return without(room, by, member, devicesNamed(event.devices, uid) ?? []);
};

function without(room: Room, by: Member, member: Member, named: readonly string[]): Decided {
  const { uid, devices: has } = member;
  if (!has) return new AppError("conflict", `${uid} is here with all devices: no single one goes out`);
  const gone = has.filter((clientId) => named.includes(clientId));
  if (gone.length === 0) return undefined;
  const devices = { [uid]: gone };
  const went = { by: by.uid, uids: [uid], devices };
  if (gone.length < has.length) return { event: "devices", way: "out", ...went };
  return uid === by.uid
    ? withSuccessor(room, by, undefined, { event: "leave", ...went })
    : { event: "remove", ...went };
}

export const decideDevices = { devices: removeDevices } as const;
