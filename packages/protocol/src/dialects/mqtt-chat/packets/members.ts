// Who is in a group, `{gid}/g/e`: {"m":[uid …]}, a list that clients write. What one publishes is taken as what its user may do by it: come in, go
// out, add others. Nobody is taken out by being absent: lists of two clients cross.

import { AppError, isForNow } from "../../../errors.ts";
import { isUid } from "../../../ids.ts";
import { roomsInvite, roomsJoin, roomsLeave, roomsMembers } from "../../../methods/members.ts";
import { roomsGet, roomsList } from "../../../methods/rooms.ts";
import { type MembershipEvent, wayOf } from "../../../rooms.ts";
import type { Downlink, Said } from "../../dialect.ts";
import { readAll } from "../../read-all.ts";
import { asGroupEvent, type Device, type GroupEvent } from "../device/device.ts";
import { readObject } from "../device/payload.ts";
import { topicFor } from "../device/topics.ts";
import { sayWords } from "../device/words.ts";
import { changeGroup, findOrMake, type Group } from "./groups.ts";
import type { Addressed, Provider } from "./provider.ts";

export const memberSuffixes = ["g/e", "others/members"] as const;

/** Of a larger group the list has so many, the device's own user among them: one that does not find itself adds itself. */
const listedMembers = 1_000;
const addedAtOnce = 1_000;

export const members: Provider = {
  suffixes: memberSuffixes,
  async take({ id, packet }: Addressed, device) {
    if (packet.payload.byteLength === 0) return;
    const list = readList(packet.payload);
    if (list === undefined) return sayWords(device, `members of ${id} not changed: a list is {"m":[user ids]}`);
    await changeGroup(device, { id, what: `members of ${id} not changed` }, () => takeList(id, list, device));
    await sayTruth(id, list, device);
  },
  render(packet: Downlink, device) {
    const told = asGroupEvent(packet);
    return told === undefined ? [] : renderChange(told, device);
  },
  retained: {
    async of(id, suffix, device) {
      if (id === device.tree.uid) return [];
      const list = await readMembers(id, device);
      return list === undefined ? [] : [saidList(`${id}/${suffix}`, list, device)];
    },
    async ofAll(suffix, device) {
      const rooms = await readAll(
        (page) => device.parley.call(roomsList, page),
        (page) => page.rooms,
      );
      const said: Said[] = [];
      for (const { id } of rooms) {
        const list = await readMembers(id, device);
        if (list !== undefined) said.push(saidList(`${id}/${suffix}`, list, device));
      }
      return said;
    },
  },
};

function readList(payload: Uint8Array): string[] | undefined {
  const object = readObject(payload);
  const list = object?.m ?? object?.members;
  return Array.isArray(list) ? list.filter((one): one is string => typeof one === "string") : undefined;
}

async function takeList(id: string, list: readonly string[], device: Device): Promise<void> {
  const { parley, tree } = device;
  const group = await findOrMake(device, id, {});
  const isListed = list.includes(tree.uid);
  const isMember = group === undefined || group.role !== undefined;
  if (!isMember) return isListed ? join(id, group, device) : undefined;
  if (!isListed && group !== undefined) return void (await parley.call(roomsLeave, { id }));
  const present = (await readMembers(id, device).catch(() => undefined)) ?? new Set();
  const added = [...new Set(list)].filter((uid) => isUid(uid) && !present.has(uid) && uid !== tree.uid);
  for (let from = 0; from < added.length; from += addedAtOnce)
    await parley.call(roomsInvite, { id, uids: added.slice(from, from + addedAtOnce) });
}

async function join(id: string, { name }: Group, device: Device): Promise<void> {
  const { asking } = await device.parley.call(roomsJoin, { id });
  if (asking) await sayWords(device, `${name}: asked to be let in`);
}

// The device takes what it published for what is so. Where it is not, it is told; who came in or went is told by the event.
async function sayTruth(id: string, published: readonly string[], device: Device): Promise<void> {
  const topic = topicFor(device, id, memberSuffixes);
  device.listsTold.forget(topic);
  if (!device.hears(topic)) return;
  const list = await readMembers(id, device).catch(() => undefined);
  if (list === undefined) return;
  const isTrue = list.size === published.length && published.every((uid) => list.has(uid));
  if (!isTrue) await device.parley.say(saidList(topic, list, device));
}

/** undefined: not for the device's user to know. Of a group that it may come into, and is not in, nobody is named. */
async function readMembers(id: string, device: Device): Promise<Set<string> | undefined> {
  const { parley, tree } = device;
  const read = { id, since: [] as MembershipEvent[] };
  device.membersReads.add(read);
  try {
    const { members: rows, next } = await parley.call(roomsMembers, { id, limit: listedMembers });
    const uids = new Set(rows.map(({ uid }) => uid));
    if (next !== null) uids.add(tree.uid);
    for (const event of read.since) change(uids, event);
    device.kinds.set(id, "room");
    device.members.set(id, uids);
    return uids;
  } catch (refusal) {
    if (isForNow(AppError.from(refusal))) throw refusal;
    const mayEnter = await parley.call(roomsGet, { id }).then(
      ({ role }) => role === undefined,
      () => false,
    );
    return mayEnter ? new Set() : undefined;
  } finally {
    device.membersReads.delete(read);
  }
}

function saidList(topic: string, list: ReadonlySet<string>, device: Device, seq?: number): Said {
  const payload = JSON.stringify({ m: [...list] });
  device.listsTold.set(topic, { payload, seq });
  return { topic, payload };
}

/** Is it said by the list? A program that does not find itself there adds itself, so who is out itself is told in words. */
export function tellsMembers({ data }: Record<string, unknown>, device: Device): boolean {
  const { event, uids = [] } = (data ?? {}) as Partial<MembershipEvent>;
  const way = wayOf(event);
  return way === "in" || (way === "out" && !uids.includes(device.tree.uid));
}

async function renderChange({ roomId, seq, content, event }: GroupEvent, device: Device): Promise<readonly Said[]> {
  for (const { id, since } of device.membersReads) if (id === roomId) since.push(event);
  if (!tellsMembers(content, device)) {
    device.members.forget(roomId);
    return [];
  }
  const topic = topicFor(device, roomId, memberSuffixes);
  const before = device.listsTold.get(topic);
  const list = await changed(roomId, event, device);
  if (list === undefined || !device.hears(topic)) return [];
  const said = saidList(topic, list, device, seq);
  // The same event is rendered again where nothing came of it, as when the device subscribed meanwhile.
  return before?.payload === said.payload && before.seq !== seq ? [] : [said];
}

async function changed(id: string, event: MembershipEvent, device: Device): Promise<ReadonlySet<string> | undefined> {
  const known = device.members.get(id);
  if (known === undefined || known.size >= listedMembers) return readMembers(id, device);
  const now = new Set(known);
  change(now, event);
  device.members.set(id, now);
  return now;
}

function change(members: Set<string>, { event, by, uids = [] }: MembershipEvent): void {
  const way = wayOf(event);
  for (const uid of event === "create" ? [by, ...uids] : uids)
    if (way === "in") members.add(uid);
    else if (way === "out") members.delete(uid);
}
