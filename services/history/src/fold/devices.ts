// With which of its devices a member is in a room, and what of it each of them reads.
import { type Caller, otherDevices, type Stay, withoutDevice } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import type { DeviceJoin, Member } from "../keep/store.ts";

/** Who asks, and with which device; without one it is the user itself, who may see all that is the user's. */
export type Asker = Pick<Caller, "uid" | "clientId">;

type Place = Pick<LogEntry, "seq" | "ord">;

/** The member as one of its devices has it, which reads nothing of before it came in. */
export function asSeenWith(member: Member, clientId: string | undefined): Member {
  const join = clientId === undefined ? undefined : joinOf(member, clientId);
  if (!join) return member;
  const [, seq, ord] = join;
  const kept = member.stays.filter(([, leftSeq]) => leftSeq === null || leftSeq >= seq);
  const stays = kept.map(([joinSeq, leftSeq]): Stay => [Math.max(joinSeq, seq), leftSeq]);
  return { ...member, stays, joinOrd: Math.max(member.joinOrd, ord) };
}

/** The device that a message or a change comes from; undefined: none, or an application sends in the user's name. */
export function clientIdOf({ device, origin }: { device: string; origin?: string }): string | undefined {
  return device === withoutDevice || device === "" || origin === "key" ? undefined : device;
}

/** Who comes in is there with these, or all: those that were not there before read from here on. `fromStart`: they read all. */
export function setDevices(
  member: Member,
  at: Place,
  { devices, fromStart }: { devices: readonly string[] | undefined; fromStart: true | undefined },
): void {
  const joins = joinsBehind(member, at, devices);
  if (devices) member.devices = devices;
  else delete member.devices;
  if (joins.length > 0 && !fromStart) member.deviceJoins = joins;
  else delete member.deviceJoins;
}

/** More of who is there with some of them; `named` null: all. */
export function addDevices(
  member: Member,
  at: Place,
  { named, fromStart }: { named: readonly string[] | null | undefined; fromStart: true | undefined },
): void {
  if (!member.devices || named === undefined) return;
  const devices = named === null ? undefined : [...new Set([...member.devices, ...named])];
  setDevices(member, at, { devices, fromStart });
}

export function removeDevices(member: Member, named: readonly string[]): void {
  const isLeft = (clientId: string) => !named.includes(clientId);
  member.devices = member.devices?.filter(isLeft) ?? [];
  if (member.deviceJoins) member.deviceJoins = member.deviceJoins.filter(([clientId]) => isLeft(clientId));
}

function joinOf({ deviceJoins }: Member, clientId: string): DeviceJoin | undefined {
  return deviceJoins && (joinAt(deviceJoins, clientId) ?? joinAt(deviceJoins, otherDevices));
}

function joinAt(joins: readonly DeviceJoin[], clientId: string): DeviceJoin | undefined {
  return joins.find(([one]) => one === clientId);
}

function joinsBehind(member: Member, { seq, ord }: Place, devices: readonly string[] | undefined): DeviceJoin[] {
  const { devices: had, stays, deviceJoins = [] } = member;
  if (stays.length === 0) return [];
  if (devices)
    return devices.flatMap((clientId): DeviceJoin[] => {
      if (had && !had.includes(clientId)) return [[clientId, seq, ord]];
      const [, joinSeq, joinOrd] = joinOf(member, clientId) ?? [];
      return joinSeq === undefined || joinOrd === undefined ? [] : [[clientId, joinSeq, joinOrd]];
    });
  if (!had) return [...deviceJoins];
  return [...had.map((id): DeviceJoin => joinOf(member, id) ?? [id, 0, 0]), [otherDevices, seq, ord]];
}
